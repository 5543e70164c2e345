import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

import { pack } from './pack';

// `cargo xtask console` says where to; `npm run build` alone writes to dist.
const folder = process.env.XYLEM_CONSOLE_OUT ?? 'dist';
// For work on the pages: `XYLEM_SERVER=https://localhost:5443 npm run dev`.
const server = process.env.XYLEM_SERVER ?? 'https://localhost:5443';

export default defineConfig({
  plugins: [svelte(), pack()],
  build: {
    outDir: folder,
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licences.json' },
  },
  server: { proxy: { '/api': { target: server, secure: false, changeOrigin: true } } },
  test: { include: ['unit/**/*.test.ts'] },
} as never);
