"""Property tests are judged by what they find, not by how busy the machine is."""

from hypothesis import settings

settings.register_profile("fairlead", deadline=None, print_blob=True)
settings.load_profile("fairlead")
