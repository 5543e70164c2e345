import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

// Debian's; another by XYLEM_CHROMIUM.
const chromium = process.env.XYLEM_CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(chromium))
  throw new Error(`${chromium} is missing: apt-get install chromium, or set XYLEM_CHROMIUM`);

export default defineConfig({
  testDir: 'browser',
  outputDir: 'test-results',
  // Each test has a server of its own, which takes its part of the machine.
  workers: 1,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  retries: 0,
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    launchOptions: { executablePath: chromium },
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 850 },
    locale: 'en-GB',
    actionTimeout: 20_000,
    trace: 'off',
    // Nothing is looked at half way from one colour to another.
    contextOptions: { reducedMotion: 'reduce' },
  },
});
