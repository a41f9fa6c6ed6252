import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// REACT=18 builds the page on that version in place of the newest.
const older = fileURLToPath(new URL("./node_modules/", import.meta.url));

export default defineConfig({
  esbuild: { jsx: "automatic" },
  resolve: {
    dedupe: ["react", "react-dom"],
    alias: process.env.REACT === "18" ? [{ find: /^(react|react-dom)(?=\/|$)/, replacement: `${older}$1-18` }] : [],
  },
});
