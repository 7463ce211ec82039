"""The Exim-compatible command line: one module for each thing that ``exim`` can be asked to do.

`main` reads the command line (`options` knows them all), finds out who is asking (`identity`), reads the configuration,
gives up what privilege is not needed (`eximious.daemon.privilege`), and calls ``run(invocation)`` of one mode's module,
which answers with the exit status:

    def run(invocation: Invocation) -> int: ...

A mode's module is imported only when it is asked for. `modes` says which module that is.
"""
