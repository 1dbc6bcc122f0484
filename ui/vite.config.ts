import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The server that answers the API while "npm run dev" serves the pages.
const server = process.env.VWMP_SERVER ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/vwmp/",
  plugins: [react()],
  // The server puts a fresh nonce in for each answer; see host/pages.go.
  html: { cspNonce: "__CSP_NONCE__" },
  css: { modules: { localsConvention: "camelCaseOnly" } },
  build: {
    target: "es2022",
    outDir: "dist/app",
    emptyOutDir: true,
    manifest: true,
    // Inlined fonts and images would need data: in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      "/api": server,
      "/openapi.json": server,
      "/ws": { target: server, ws: true },
    },
  },
});
