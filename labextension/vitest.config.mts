import { readFileSync } from 'node:fs';

import { defineConfig } from 'vitest/config';

export default defineConfig({
  // JupyterLab imports its icons as text.
  plugins: [{ name: 'svg', enforce: 'pre', load: id => (id.endsWith('.svg') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : null) }],
  // The notebooks and the recorded answers lie beside this folder.
  server: { fs: { allow: ['..'] } },
  test: {
    environment: 'jsdom',
    include: ['tests/*.test.{ts,tsx}'],
    setupFiles: ['tests/setup.ts'],
    server: { deps: { inline: [/@jupyterlab/, /@jupyter\//, /@lumino/, /@microsoft/, /@rjsf/] } }
  }
});
