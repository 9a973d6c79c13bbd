// Reads {macros, items: [{tex, display}]} on standard input and writes [{html} | {error, at}].
// One short-lived process a page: nothing to shut down, nothing to hang.
const katex = require("./katex.min.js");
const { macros, items } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const results = items.map(({ tex, display }) => {
  try {
    const html = katex.renderToString(tex, {
      displayMode: display,
      output: "htmlAndMathml",
      // The role macros set a class, which TeX itself does not know; all else is an error.
      strict: (code) => (code === "htmlExtension" ? "ignore" : "error"),
      throwOnError: true,
      trust: ({ command }) => command === "\\htmlClass",
      macros: { ...macros },
    });
    return { html };
  } catch (error) {
    return { error: error.rawMessage || error.message, at: error.position ?? null };
  }
});
process.stdout.write(JSON.stringify(results));
