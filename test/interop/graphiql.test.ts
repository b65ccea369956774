import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Browser, chromium, type Page } from 'playwright-core';
import { SimulatedDevice } from '../../src/simulator/index.ts';
import { ADMIN_TOKEN, runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { requirePeer } from './peers/index.ts';
import { program } from './peers/program.ts';

const ENDPOINT = 'urn:imei:490154203237534';
const HEADERS = '.graphiql-editor-tool .graphiql-editor:not(.hidden) .monaco-editor';
const QUERY = '.graphiql-query-editor .monaco-editor';

requirePeer('chromium')('GraphiQL, in a real browser', () => {
  let treeline: TreelineProcess;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];
  const elsewhere: string[] = [];

  beforeAll(async () => {
    treeline = await runTreeline();
    browser = await chromium.launch({
      executablePath: program('chromium') ?? '',
      // Root has no sandbox; the rest keeps the browser from calling home.
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
    });
    page = await browser.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (
        !request
          .url()
          .replace(/^blob:/, '')
          .startsWith(new URL(treeline.graphql).origin)
      ) {
        elsewhere.push(request.url());
      }
    });
    await page.goto(treeline.graphql);
  });
  afterAll(async () => {
    await browser?.close();
    await treeline?.stop();
  });

  async function type(editor: string, text: string): Promise<void> {
    await page.locator(editor).click();
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
  }

  /** The lines of the answer, without their indentation; the editor's blanks don't break. */
  async function answer(): Promise<string> {
    const lines = await page.locator('.result-window .view-line').allTextContents();
    return lines.map((line) => line.replaceAll('\u00a0', ' ').trim()).join(' ');
  }

  it('says that a token is wanted, and takes one: the query that it opens with is answered', async () => {
    const run = page.getByRole('button', { name: 'Execute query' });
    await run.click();
    await expect.poll(answer, { timeout: 20_000 }).toContain('UNAUTHENTICATED');
    await type(HEADERS, JSON.stringify({ Authorization: `Bearer ${ADMIN_TOKEN}` }));
    await run.click();
    await expect.poll(answer, { timeout: 20_000 }).toContain('"slug": "default"');
  });

  it('streams a subscription', async () => {
    await type(QUERY, 'subscription Statuses { deviceStatusChanged { status device { endpoint } } }');
    // The page has read it when its tab has the name.
    await page.getByRole('button', { name: 'Statuses', exact: true }).waitFor();
    await page.keyboard.press('ControlOrMeta+Enter');
    await page.getByRole('button', { name: 'Stop query' }).waitFor();
    const accounts = [{ server: treeline.coap, shortServerId: 123, lifetime: 300 }];
    const device = new SimulatedDevice({ endpoint: ENDPOINT, accounts, objects: [] });
    try {
      await device.start();
      await expect
        .poll(answer, { timeout: 20_000 })
        .toContain(`"status": "ONLINE", "device": { "endpoint": "${ENDPOINT}"`);
    } finally {
      await device.stop();
    }
    await expect.poll(answer, { timeout: 20_000 }).toContain('"status": "OFFLINE"');
  });

  it('needs nothing from elsewhere, and no script of it failed', () => {
    expect([elsewhere, faults]).toEqual([[], []]);
  });
});
