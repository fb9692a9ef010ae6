"""The formats in which people keep labelled images: each is recognised, read into one form, and written as one that is
trained on."""
