import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

const server = process.env['HUBBUB_SERVER'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2024',
    assetsDir: 'assets',
    // The server's policy allows data: for images alone, and one file fewer is not worth a larger script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/ws': { target: server, ws: true, changeOrigin: true }, '/api': server } },
  test: { environment: 'node', include: ['tests/**/*.test.ts'] },
})
