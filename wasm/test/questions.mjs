/**
 * The questions about each store, named like the commands. `ask.mjs` asks the command, `outputs.mjs` the
 * package, in Node and in pages.
 *
 * A path is escaped as in rows; `plain` is the path for the command, if it differs.
 */

const DIALECTS = ["native", "portable", "bsd", "umoci"];

const all = (image) => [
  { ask: "resolve", image },
  { ask: "stat", image },
  { ask: "files", image },
  { ask: "waste", image },
  ...DIALECTS.map((dialect) => ({ ask: "mtree", image, dialect })),
];

/** Questions about images with the layers of the odd one. */
const odd = (image) => [
  ...all(image),
  ...[1, 2, 3].map((layer) => ({ ask: "files", image, layer })),
  { ask: "files", image, path: "/etc" },
  { ask: "files", image, path: "deep/../opaque/", layer: 2 },
  { ask: "files", image, path: "/nope" },
  ...[
    "/etc/passwd",
    "/etc/group",
    "/gone/below/file",
    "opaque/sub/old",
    "/become-dir/file",
    "/hard-a",
    "/nope",
  ].map((path) => ({
    ask: "why",
    image,
    path,
  })),
  ...[
    "/etc/passwd",
    "absolute",
    "/climbing",
    "/twice",
    "/across",
    "/sparse",
    "/renamed",
    "/ünï",
    "/long-link",
    "/etc",
    "/null",
    "/dangling",
    "/gone/file",
    "/nope",
  ].map((path) => ({ ask: "cat", image, path })),
  { ask: "cat", image, path: "/back\\\\slash", plain: "/back\\slash" },
  { ask: "cat", image, path: "/new\\012line", plain: "/new\nline" },
  { ask: "why", image, path: "/new\\012line", plain: "/new\nline" },
  ...[
    ["/gone/below/file", 1],
    ["/etc/group", 1],
    ["become-dir", 1],
    ["/hard-b", 1],
    ["/sparse", 1],
    ["/twice", 2],
    ["/directory-link/new", 2],
    ["/etc", 1],
    ["/absolute", 1],
    ["/nope", 2],
    ["/across", 2],
  ].map(([path, layer]) => ({ ask: "cat", image, path, layer })),
];

const whole = [{ ask: "ls" }, { ask: "check" }, { ask: "archive" }];

export const questions = {
  odd: [
    ...whole,
    ...odd("odd"),
    ...all("gnu"),
    { ask: "diff", image: "odd", other: "gnu" },
    { ask: "diff", image: "gnu", other: "odd", semantic: true },
    { ask: "diff", image: "odd", other: "odd" },
    { ask: "resolve" },
    { ask: "stat" },
    { ask: "resolve", image: "nothing" },
    { ask: "stat", image: "digest=sha256:0000" },
    { ask: "resolve", image: "pos=" },
  ],
  oddArchive: [...whole, ...odd("pos=0"), { ask: "resolve" }, { ask: "stat", image: "nothing" }],
  nested: [
    ...whole,
    ...[
      "multi//platform=linux/arm64",
      "docker//platform=linux/arm/v7",
      "nested//platform=linux/riscv64",
    ].flatMap(all),
    { ask: "diff", image: "multi//platform=linux/amd64", other: "single" },
    ...[
      "multi",
      "twice",
      "nested//type=index",
      "multi//platform=linux/arm",
      "holes//platform=linux/s390x",
      "pos=9",
      "single//pos=0",
    ].flatMap((image) => [
      { ask: "resolve", image },
      // The command shows artifacts as well, the package images.
      ...(image === "pos=9" ? [] : [{ ask: "stat", image }]),
    ]),
    { ask: "stat" },
  ],
  debian: [
    ...whole,
    { ask: "files", image: "debian" },
    { ask: "waste", image: "debian" },
    { ask: "mtree", image: "zstd", dialect: "native" },
    { ask: "files", image: "zstd", layer: 1 },
    { ask: "cat", image: "debian", path: "/etc/os-release" },
    { ask: "cat", image: "zstd", path: "/bin/bash" },
    { ask: "why", image: "zstd", path: "/usr/bin/perl" },
    { ask: "diff", image: "debian", other: "zstd" },
  ],
  /** Made of the gzip image. */
  debianArchive: [
    { ask: "ls" },
    { ask: "files", image: "pos=0" },
    { ask: "waste", image: "pos=0" },
    { ask: "cat", image: "pos=0", path: "/bin/bash" },
  ],
  toc: [...whole, ...odd("pos=0")],
};

/** Returns a question as one line. */
export const named = (question) => Object.values(question).join(" ");

/**
 * Without a tag in the reference, the command copies and shows the one tag `latest`, and the package all of
 * them. The command prints positions in a list of the one tag that it asked for.
 */
const untagged = (asked) =>
  asked.filter(
    ({ ask, image }) =>
      ask !== "archive" && ask !== "resolve" && (ask !== "stat" || image !== undefined),
  );

/** The questions about repositories of a registry, by name; with a tag, also about archives. */
export const ofRegistry = {
  odd: untagged(questions.odd),
  nested: [{ ask: "ls" }, { ask: "check" }],
  debian: untagged(questions.debian),
  "nested:v1": [{ ask: "archive" }, { ask: "resolve" }],
  "odd:odd": [{ ask: "archive" }, { ask: "resolve" }],
};
