import js from "@eslint/js";
import globals from "globals";

// Plain scripts, Python's folders and what is built are not looked at: only native modules are.
export default [
  {
    files: ["diml_core/viewer/**/*.js", "scripts/site/page/**/*.js"],
    ...js.configs.recommended,
    languageOptions: { globals: { ...globals.browser, ...globals.worker } },
  },
  {
    files: ["scripts/site/page/sw.js"],
    languageOptions: {
      globals: { ...globals.serviceworker, VERSION: "readonly", FILES: "readonly", LARGE_FILES: "readonly" },
    },
  },
  // Numbers only: what the engine uses is there in node and in the browser.
  {
    files: ["diml_core/viewer/engine/**/*.js"],
    ...js.configs.recommended,
    languageOptions: { globals: globals["shared-node-browser"] },
  },
  {
    files: ["tests/viewer/**/*.js", "benchmarks/**/*.mjs", "eslint.config.js"],
    ...js.configs.recommended,
    languageOptions: { globals: globals.node },
  },
  { ignores: ["app/", "docs/"] },
];
