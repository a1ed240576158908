"""What development needs around the product: servers, the demo, the inspector. Production imports nothing from here."""
