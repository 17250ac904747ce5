'use strict';
// Opens the catalogue page in Chromium and uses it as people do. Ends with an error at the first
// thing that is not as it should be; answers one line: what was checked, and the screenshots.
//
// Arguments: the browser, the page, and a folder for the screenshots.

const assert = require('assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 360, height: 740 };

async function main(executablePath, file, shots) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'catalogue-page-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath, args: ARGUMENTS, viewport: DESKTOP, colorScheme: 'light', bypassCSP: false,
  });
  try {
    const session = new Session(context, pathToFileURL(file).href, shots);
    await session.start();
    for (const check of CHECKS) {
      session.doing = check.name;
      await check(session);
    }
    session.quiet();
    console.log(JSON.stringify({ checks: CHECKS.map((check) => check.name), shots: session.taken }));
  } finally {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true });
  }
}

class Session {
  constructor(context, url, shots) {
    Object.assign(this, { context, url, shots, taken: [], noise: [], doing: 'start' });
  }

  async start() {
    this.page = this.context.pages()[0] ?? (await this.context.newPage());
    const note = (what) => this.noise.push(`${this.doing}: ${what}`);
    this.page.on('console', (message) => note(`console ${message.type()}: ${message.text()}`));
    this.page.on('pageerror', (error) => note(`error: ${error}`));
    this.page.on('dialog', (dialog) => { note(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    this.page.on('request', (request) => {
      if (request.url().split('#')[0] !== this.url) note(`request: ${request.url()}`);
    });
    await this.page.goto(this.url);
  }

  // Nothing was written to the console, nothing was asked for, no script went wrong.
  quiet() {
    assert.deepStrictEqual(this.noise, []);
  }

  async go(hash) {
    await this.page.goto(`${this.url}${hash}`);
  }

  async heading() {
    return this.page.locator('main h1').innerText();
  }

  async headingIs(text) {
    await this.page.waitForFunction((wanted) => document.querySelector('main h1')?.textContent === wanted, text);
  }

  async shot(name, fullPage = false) {
    const file = path.join(this.shots, `${name}.png`);
    await this.page.screenshot({ path: file, fullPage, animations: 'disabled' });
    this.taken.push(file);
  }

  async fits() {
    const { wide, room } = await this.page.evaluate(() => ({
      wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth,
    }));
    assert.ok(wide <= room, `${this.doing}: ${wide} pixels wide in ${room}`);
  }

  // What axe finds, by its rules for WCAG A and AA, contrast among them. It is run from here, since
  // the page's own policy lets no other script in.
  async accessible() {
    const violations = await this.page.evaluate(`(() => { ${axe}; return axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
    }).then((found) => found.violations.map((it) => it.id + ': ' + it.nodes.map((node) => node.html.slice(0, 160)).join(' | '))); })()`);
    assert.deepStrictEqual(violations, [], this.doing);
  }
}

const PLACED = '#/event/orders.order.placed@2.1';

async function overview(session) {
  await session.headingIs('Corner shop');
  await session.accessible();
  await session.shot('overview-light', true);
}

async function searchWithKeys(session) {
  const { page } = session;
  await page.keyboard.press('/');
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), 'query');
  await page.keyboard.type('quant');
  const results = page.locator('#results [role=option]');
  assert.match(await results.first().innerText(), /quantity/);
  await page.keyboard.press('Escape');
  await page.keyboard.type('order');
  assert.ok((await results.count()) > 3);
  const chosen = () => page.locator('#results [aria-selected=true] .name').innerText();
  const first = await chosen();
  await page.keyboard.press('ArrowDown');
  assert.notStrictEqual(await chosen(), first);
  assert.strictEqual(await page.getAttribute('#query', 'aria-activedescendant'), 'result-1');
  await session.accessible();
  await session.shot('search');
  await page.keyboard.press('ArrowUp');
  assert.strictEqual(await chosen(), first);
  await page.fill('#query', 'no such thing');
  assert.match(await page.locator('#results').innerText(), /Nothing is called/);
  await page.fill('#query', 'order placed');
  await page.keyboard.press('Enter');
  await session.headingIs('order.placed');
  assert.match(page.url(), /#\/event\/orders\.order\.placed@2\.1$/);
}

async function searchFindsFields(session) {
  const { page } = session;
  await page.fill('#query', 'shipto.street');
  await page.keyboard.press('Enter');
  await session.headingIs('order.placed');
  assert.match(await page.locator('.sought').innerText(), /street[^]*personal data/);
}

async function deepLinks(session) {
  const { page } = session;
  for (const [hash, heading] of [
    [PLACED, 'order.placed'], ['#/event/orders.order.placed@1.0', 'order.placed'],
    ['#/event/@acme-carrier.Parcel.Scanned', 'parcel.scanned'], ['#/service/audit', 'audit'], ['#/stream/ORDERS', 'ORDERS'],
    ['#/flow', 'Flow'], ['#/event/no.such.event@1.0', 'Not found'], ['#/%', 'Not found'], ['', 'Corner shop'],
  ]) {
    // A fresh page, as for somebody who was sent the link.
    await page.goto('about:blank');
    await session.go(hash);
    await session.headingIs(heading);
  }
}

async function backAndForward(session) {
  const { page } = session;
  await session.go('#/service/billing');
  await session.headingIs('billing');
  await page.locator('main').getByRole('link', { name: 'payments.payment.taken' }).first().click();
  await session.headingIs('payment.taken');
  await page.goBack();
  await session.headingIs('billing');
  await page.goForward();
  await session.headingIs('payment.taken');
}

async function eventPage(session) {
  const { page } = session;
  await session.go(PLACED);
  await session.headingIs('order.placed');
  const text = await page.locator('main').innerText();
  for (const told of [
    'prod.shop.orders.order.placed.{key}', 'shipTo', 'list of OrderLine', 'map of Money', 'Address or null', '"in-store"',
    'audit-orders', 'checkout', 'Zoë Núñez', 'personal data', 'basketId',
  ]) assert.ok(text.includes(told), `${told} is not in ${text}`);
  const history = await page.locator('.history').innerText();
  assert.match(history, /\+[^]*lines/);
  assert.match(history, /−[^]*skus/);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  assert.ok(height < 3200, `${height} pixels`);
  await session.accessible();
  await session.shot('event-light', true);
  await page.getByRole('link', { name: '1.0', exact: true }).first().click();
  await page.waitForFunction(() => document.querySelector('main').innerText.includes('not the newest'));
}

async function tree(session) {
  await session.go('#/event/stock.category.moved');
  const fields = await session.page.locator('.fields').innerText();
  assert.match(fields, /children[^]*again a\s+Category/);
}

async function variants(session) {
  await session.go('#/event/payments.payment.taken');
  const fields = await session.page.locator('.fields').innerText();
  assert.match(fields, /Either kind: "card"[^]*or kind: "transfer"[^]*iban[^]*or kind: "cash"/);
  assert.match(fields, /reference\s+integer or text/);
}

async function choicesWithinChoices(session) {
  const { page } = session;
  await session.go('#/event/shipping.shipment.sent@2.0');
  await session.headingIs('shipment.sent');
  await page.getByRole('button', { name: 'Expand all' }).click();
  const fields = await page.locator('.fields').innerText();
  assert.match(fields, /or kind: "road"[^]*weight[^]*Either lorry[^]*trailer[^]*or bicycle[^]*rider/);
  assert.match(fields, /Either insured[^]*value_cents[^]*or self_insured[^]*policy[^]*or none of them/);
  // Each variant has a box of its own, those within another one inside of its box.
  assert.ok((await page.locator('.fields details.variant details.variant').count()) >= 2);
  await session.accessible();
  await session.shot('event-variants', true);
}

async function historyNamesWhatChanged(session) {
  const { page } = session;
  await session.go('#/event/shipping.shipment.sent@2.0');
  await session.headingIs('shipment.sent');
  const history = await page.locator('.history').innerText();
  for (const told of [
    /~[^]*way \(kind: "road"\)\.weight integer became number/, /~[^]*speed may now be "Express"/,
    /\+[^]*way \(kind: "road"\) \(lorry\) a variant/, /\+[^]*\(insured\) a variant/,
  ]) assert.match(history, told);
  assert.doesNotMatch(history, /The same/);
  assert.match(history, /2\.0[^]*since 2026-11-30/);
  assert.match(await page.locator('main .facts').first().innerText(), /Since\s+2026-11-30[^]*Owned by\s+Logistics/);
}

async function manyFieldsFold(session) {
  const { page } = session;
  await session.go('#/event/customs.form.filled');
  await session.headingIs('form.filled');
  const height = () => page.evaluate(() => document.documentElement.scrollHeight);
  const folded = await height();
  assert.ok(folded < 2600, `${folded} pixels`);
  assert.strictEqual(await page.locator('[data-path="goods[].origin.postcode"]').isVisible(), false);
  assert.match(await page.locator('main').innerText(), /Made up from the schema/);
  assert.match(await page.locator('main pre').first().innerText(), /"tax_number"/);
  await session.accessible();
  await session.shot('event-folded', true);
  await page.getByRole('button', { name: 'Expand all' }).click();
  assert.ok(await page.locator('[data-path="goods[].origin.postcode"]').isVisible());
  assert.ok((await height()) > folded + 1000);
  await page.getByRole('button', { name: 'Collapse all' }).click();
  assert.strictEqual(await page.locator('[data-path="goods[].origin.postcode"]').isVisible(), false);
  // What is looked for is not left folded.
  await page.fill('#query', 'goods[].origin.postcode');
  await page.keyboard.press('Enter');
  await page.locator('.sought').waitFor({ state: 'visible' });
}

async function documentsAreSaved(session) {
  const { page } = session;
  const saved = async (button) => {
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    return [download.suggestedFilename(), JSON.parse(fs.readFileSync(await download.path(), 'utf8'))];
  };
  await session.go('#/');
  await session.headingIs('Corner shop');
  const [name, document] = await saved(page.getByRole('button', { name: 'Download AsyncAPI' }));
  assert.strictEqual(name, 'asyncapi.json');
  assert.strictEqual(document.asyncapi, '3.0.0');
  assert.ok(Object.keys(document.channels).length > 8);
  await session.go('#/event/shipping.shipment.sent@1.0');
  await session.headingIs('shipment.sent');
  await page.locator('summary', { hasText: 'JSON Schema of the data as written' }).click();
  const [file, schema] = await saved(page.locator('details.more[open] .save'));
  assert.strictEqual(file, 'shipping.shipment.sent-1.0.schema.json');
  assert.strictEqual(schema.title, 'ShipmentSentV1');
}

async function unrelatedEventsStayApart(session) {
  const { page } = session;
  await session.go('#/flow');
  await session.headingIs('Flow');
  const none = page.locator('.node.none');
  assert.ok((await none.count()) >= 3, `${await none.count()}`);
  await page.locator('[data-node="service:shipping"]').focus();
  const lit = await page.locator('.node.on').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-node')));
  assert.deepStrictEqual(lit.sort(), [
    'event:customs.form.filled', 'event:shipping.shipment.sent', 'none:customs.form.filled', 'none:shipping.shipment.sent', 'service:shipping',
  ]);
  assert.match(await page.locator('main svg').innerHTML(), /ephemeral: parcel\.scanned/);
}

async function flowLightsUp(session) {
  const { page } = session;
  await session.go('#/flow');
  await session.headingIs('Flow');
  await page.locator('[data-node="event:orders.order.placed"]').focus();
  const lit = await page.locator('.node.on').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-node')));
  assert.deepStrictEqual(lit.filter((id) => !id.startsWith('consumer:')).sort(), ['event:orders.order.placed', 'service:checkout', 'stream:ORDERS']);
  assert.deepStrictEqual(lit.filter((id) => id.startsWith('consumer:')).sort(), ['consumer:audit/0', 'consumer:billing/0', 'consumer:warehouse/0']);
  await session.shot('flow');
  await page.keyboard.press('ArrowRight');
  assert.strictEqual(await page.evaluate(() => document.activeElement.getAttribute('data-node')), 'stream:ORDERS');
  await page.keyboard.press('Enter');
  await session.headingIs('ORDERS');
}

async function byKeyboardAlone(session) {
  const { page } = session;
  await page.goto('about:blank');
  await session.go('');
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip/);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.strictEqual(outline, 'solid');
  await page.keyboard.press('Enter');
  assert.strictEqual(await page.evaluate(() => document.activeElement.id), 'main');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await session.headingIs('checkout');
}

async function darkColours(session) {
  const { page } = session;
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForFunction((before) => getComputedStyle(document.body).backgroundColor !== before, light);
  await session.go(PLACED);
  await session.accessible();
  await session.shot('event-dark');
  await session.go('#/');
  await session.headingIs('Corner shop');
  await session.accessible();
  await session.shot('overview-dark');
  await session.go('#/flow');
  await session.headingIs('Flow');
  await session.shot('flow-dark');
  await page.click('#theme');
  assert.strictEqual(await ground(), light);
  await page.reload();
  assert.strictEqual(await ground(), light);
  await page.emulateMedia({ colorScheme: 'light' });
}

async function onAPhone(session) {
  const { page } = session;
  await page.setViewportSize(PHONE);
  for (const hash of ['#/', '#/flow', PLACED, '#/event/payments.payment.taken', '#/event/stock.category.moved', '#/service/audit', '#/stream/ORDERS', '#/event/no.such']) {
    await session.go(hash);
    await session.fits();
  }
  await session.go('#/flow');
  await session.headingIs('Flow');
  const hint = page.locator('.sideways');
  await hint.waitFor({ state: 'visible' });
  assert.ok(await page.locator('.flow').evaluate((it) => it.classList.contains('cut')));
  await session.shot('phone-flow');
  await page.locator('.flow').evaluate((it) => it.scrollTo(it.scrollWidth, 0));
  await page.waitForFunction(() => !document.querySelector('.flow').classList.contains('cut'));
  await page.setViewportSize(DESKTOP);
  await hint.waitFor({ state: 'hidden' });
  await page.setViewportSize(PHONE);
  await session.go(PLACED);
  await session.headingIs('order.placed');
  await session.accessible();
  await session.shot('phone-event', true);
  await session.go('#/');
  await session.shot('phone-overview');
  await page.fill('#query', 'price');
  await session.fits();
  await session.shot('phone-search');
  await page.keyboard.press('Escape');
  await page.setViewportSize(DESKTOP);
}

async function onPaper(session) {
  const { page } = session;
  await session.go(PLACED);
  await page.emulateMedia({ media: 'print' });
  assert.strictEqual(await page.locator('.bar').isVisible(), false);
  assert.strictEqual(await page.locator('.browse').isVisible(), false);
  const pdf = await page.pdf({ format: 'A4' });
  assert.strictEqual(pdf.subarray(0, 5).toString(), '%PDF-');
  await page.emulateMedia({ media: 'screen' });
}

async function hostileTextIsText(session) {
  const { page } = session;
  for (const [hash, told] of [
    ['#/service/mallory', ['</script><img src=x onerror=alert(1)>', 'javascript:alert(2)', 'Ünïcödé 漢字 🦀']],
    ['#/event/mallory.trick.played@1.0', [
      '</script><img src=x onerror=alert(1)> <!-- <script> {{data}}', '<img src=x onerror=alert(3)> Ünïcödé 漢字 🦀',
      `</script><b title='"'>`, '</script><script>alert(4)</script>',
    ]],
  ]) {
    await session.go(hash);
    const text = await page.locator('main').innerText();
    for (const part of told) assert.ok(text.includes(part), `${part} is not in ${text}`);
    assert.strictEqual(await page.locator('img, iframe, main script, main b').count(), 0);
    const links = await page.locator('main a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    assert.ok(links.every((link) => link.startsWith('#/') || link.startsWith('https://')), links.join());
  }
  await page.fill('#query', '</script><b');
  assert.match(await page.locator('#results [role=option]').first().innerText(), /<\/script><b title='"'>/);
  await page.keyboard.press('Enter');
  await session.headingIs('trick.played');
  // The view before has the same heading.
  await page.locator('.sought').waitFor({ state: 'attached' });
  assert.strictEqual(await page.locator('.sought').count(), 1);
}

async function nothingCanBeLoaded(session) {
  const { page } = session;
  session.quiet();
  const outcome = await page.evaluate(() => fetch('http://127.0.0.1:9/').then(() => 'loaded', () => 'refused'));
  assert.strictEqual(outcome, 'refused');
  // The browser says so itself; what it said is what was wanted.
  assert.match(session.noise.join('\n'), /Content Security Policy/);
  assert.ok(session.noise.every((it) => !/: request: http/.test(it) || /127\.0\.0\.1:9/.test(it)));
  session.noise.length = 0;
}

const CHECKS = [
  overview, searchWithKeys, searchFindsFields, deepLinks, backAndForward, eventPage, tree, variants, choicesWithinChoices,
  historyNamesWhatChanged, manyFieldsFold, documentsAreSaved, unrelatedEventsStayApart, flowLightsUp,
  byKeyboardAlone, darkColours, onAPhone, onPaper, hostileTextIsText, nothingCanBeLoaded,
];

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
