"""What every verb stands on: who acts, what is given, references, rows and the parts they lead to."""
