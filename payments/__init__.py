"""Payment providers, one file each; QR codes; references."""
