"""The whole product: real engine, real app, real HTTP; only the providers are stand-ins."""
