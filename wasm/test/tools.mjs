/** The npm packages of the tests. They are dependencies of the page. */

import { createRequire } from "node:module";

export const require = createRequire(new URL("../../web-demo/package.json", import.meta.url));
