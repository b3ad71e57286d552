"""Runs a WASI module in wasmtime:
[--dir HOST::GUEST[::ro]]... [--env NAME=VALUE]... [--max-memory BYTES] MODULE.wasm [ARGUMENT]...

Above --max-memory the module gets no more memory: Rust programs then stop with "memory allocation failed".
"""

import sys

from wasmtime import Config, Engine, ExitTrap, Linker, Module, Store, WasiConfig


def main(arguments):
    wasi = WasiConfig()
    environment = []
    most = -1
    while arguments and arguments[0].startswith("--"):
        option, value, *arguments = arguments
        if option == "--dir":
            host, guest, rights = (value.split("::") + ["", ""])[:3]
            wasi.preopen_dir(host, guest or host, fs_mutable=rights != "ro")
        elif option == "--env":
            environment.append(tuple(value.split("=", 1)))
        elif option == "--max-memory":
            most = int(value)
        else:
            sys.exit(f"wasi_wasmtime: no such option: {option}")
    if not arguments:
        sys.exit(f"wasi_wasmtime: {__doc__}")
    wasi.env = environment
    wasi.argv = ["ocicle", *arguments[1:]]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()

    config = Config()
    # Compiling takes seconds; tests run one module many times.
    config.cache = True
    engine = Engine(config)
    store = Store(engine)
    store.set_limits(memory_size=most)
    store.set_wasi(wasi)
    linker = Linker(engine)
    linker.define_wasi()
    instance = linker.instantiate(store, Module.from_file(engine, arguments[0]))
    try:
        instance.exports(store)["_start"](store)
    except ExitTrap as exit:
        return exit.code
    return 0


sys.exit(main(sys.argv[1:]))
