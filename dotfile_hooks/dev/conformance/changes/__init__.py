"""Changes of real rows, by the services and models that the admin and the API use, from which every event arises."""
