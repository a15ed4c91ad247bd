"""What the bot can do: one action for each intent that needs facts, and the forms' own."""

from rasa_sdk import Action

from bot.actions.account import ReactivateAccount
from bot.actions.balance import AskBalance
from bot.actions.callback import CallbackForm, RequestCallback
from bot.actions.care import HANDOVERS, WHO, Dispute, HandsOver, Hardship, Recognised, SelfHarm
from bot.actions.change import ContactForm, UpdateContact
from bot.actions.claims import AlreadyPaid, ClaimForm, Inform
from bot.actions.contact import AskContactInfo, OptIn, OptOut, VerifyLegitimacy, WrongPerson
from bot.actions.copies import RequestInvoiceCopy
from bot.actions.correcting import Corrects
from bot.actions.debits import DirectDebitProblem, IbanForm
from bot.actions.fees import AskFees
from bot.actions.invoices import AskInvoice, InvoiceForm
from bot.actions.payment import AskPaymentMethods, AskPaymentStatus, PartForm, Pay, PayPart
from bot.actions.plans import PlanForm, RequestPaymentPlan
from bot.actions.privacy import PrivacyRequest
from bot.actions.promises import PayLater, PromiseForm
from bot.actions.services import Services
from bot.actions.shop import QUESTIONS, AskOrderStatus, Question
from bot.actions.talk import Affirm, Leave, OutOfScope, SwitchLanguage, WelcomeBack
from bot.actions.turn import say, turn_id
from bot.actions.verification import VerifyForm
from bot.actions.wish import Wanted, Wish

__all__ = ["Services", "actions", "say", "turn_id"]


def actions(services: Services) -> list[Action]:
    wishes: list[Wish] = [
        AskBalance(services),
        AskInvoice(services),
        Pay(services),
        PayPart(services),
        AskPaymentStatus(services),
        AlreadyPaid(services),
        AskOrderStatus(services),
        RequestInvoiceCopy(services),
        AskFees(services),
        PayLater(services),
        RequestPaymentPlan(services),
        ReactivateAccount(services),
        DirectDebitProblem(services),
        RequestCallback(services),
        UpdateContact(services),
        PrivacyRequest(services),
    ]
    handovers = [HandsOver(services, intent, *what) for intent, what in HANDOVERS.items()]
    return [
        *wishes,
        *handovers,
        *(Question(services, intent) for intent in QUESTIONS),
        Hardship(services),
        SelfHarm(services),
        Dispute(services),
        OptOut(services),
        OptIn(services),
        WrongPerson(services),
        VerifyLegitimacy(services),
        AskContactInfo(services),
        AskPaymentMethods(services),
        Affirm([*wishes, *handovers]),
        Leave("cancel", "talk.cancelled"),
        Corrects(services, Leave("deny", "talk.deny"), wishes),
        Leave("goodbye", "talk.goodbye"),
        WelcomeBack(services),
        SwitchLanguage(services),
        Corrects(services, OutOfScope(services), wishes),
        Corrects(services, Inform(services), wishes),
        VerifyForm(services),
        InvoiceForm(services),
        PromiseForm(services),
        PlanForm(services),
        PartForm(services),
        CallbackForm(services),
        ContactForm(services),
        ClaimForm(services),
        IbanForm(services),
        Wanted([*wishes, *(Recognised(services, intent) for intent in WHO)]),
    ]
