"""What a developer runs now and then; nothing here is part of a release."""
