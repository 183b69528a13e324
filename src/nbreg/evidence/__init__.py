"""What is found out about versions beside the work: the clean process that loads one, and who runs it.

`child` is that process, `background` asks for proofs from a kernel and works off what was
asked, in `turns` with the other users of the machine. The verb itself is `Registry.prove`.
"""
