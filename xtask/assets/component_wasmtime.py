"""Calls a function of the component in wasmtime: COMPONENT DIRECTORY FUNCTION [ARGUMENT]...

Prints the result; or the kind of the failure and its message on standard error, and exits with 1.
"""

import sys

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker


def main(path, directory, name, *words):
    config = Config()
    config.cache = True
    engine = Engine(config)
    store = Store(engine)
    wasi = WasiConfig()
    wasi.preopen_dir(directory, ".")
    store.set_wasi(wasi)
    linker = Linker(engine)
    linker.add_wasip2()
    component = Component.from_file(engine, path)
    instance = linker.instantiate(store, component)
    images = component.get_export_index("ocicle:image/images@0.1.0")
    function = instance.get_func(store, component.get_export_index(name, images))
    result = function(store, *(int(word) if word.isdigit() else word for word in words))
    if hasattr(result, "kind"):
        print(f"{result.kind}: {result.message}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(result.encode() if isinstance(result, str) else result or b"")
    return 0


sys.exit(main(*sys.argv[1:]))
