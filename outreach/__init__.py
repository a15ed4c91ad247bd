"""What we say first: reminders, within what the law and the person allow."""
