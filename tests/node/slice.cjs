// Asks the JavaScript package what the command is asked: slice.cjs PACKAGE LAYOUT COMMAND FRAGMENT [OPTION…]
const fs = require("node:fs");
const path = require("node:path");

const [pkg, layout, command, fragment, ...options] = process.argv.slice(2);
const { Layout } = require(path.join(pkg, "ocicle.js"));

const files = {};
for (const entry of fs.readdirSync(layout, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const file = path.join(entry.parentPath ?? entry.path, entry.name);
  files[path.relative(layout, file)] = new Uint8Array(fs.readFileSync(file));
}

const format = options.includes("--json") ? "json" : "table";
const dialect = options.includes("--dialect") ? options[options.indexOf("--dialect") + 1] : "native";
const selector = fragment === "" ? undefined : fragment;
const commands = {
  ls: (images) => images.ls(format),
  resolve: (images) => images.resolve(selector, format),
  mtree: (images) => images.mtree(selector, dialect),
};
try {
  process.stdout.write(commands[command](new Layout(files)));
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
