'use strict';
// Holds AsyncAPI documents against the official parser, and their examples against the schemas of
// their payloads. Answers one line: for each file { findings, examples, operations }.

const fs = require('fs');
const Ajv2020 = require('ajv/dist/2020');
const addFormats = require('ajv-formats');
const { Parser } = require('@asyncapi/parser');

// A number from which on the parser only informs: that there is a newer AsyncAPI, for example.
const INFORMATION = 2;

async function main(files) {
  const said = [];
  for (const file of files) said.push(await hold(fs.readFileSync(file, 'utf8')));
  console.log(JSON.stringify(said));
}

async function hold(text) {
  const { document, diagnostics } = await new Parser().parse(text);
  const findings = diagnostics
    .filter((it) => it.severity < INFORMATION)
    .map((it) => ({ code: String(it.code), path: it.path.join('/'), message: it.message }));
  const examples = checkExamples(JSON.parse(text), findings);
  const operations = document ? document.operations().all().map(shown) : [];
  return { findings, examples, operations };
}

function shown(operation) {
  return {
    id: operation.id(),
    action: operation.action(),
    address: operation.channels().all()[0].address(),
    messages: operation.messages().all().map((message) => message.title()),
  };
}

// The parser leaves payloads of JSON Schema 2020-12 to others. Their references begin at the root of
// the document, so the whole of it is given to the validator.
function checkExamples(document, findings) {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ ...document, $id: 'document://it' });
  const messages = Object.entries(document.components?.messages ?? {});
  let checked = 0;
  for (const [key, message] of messages) {
    for (const [index, example] of (message.examples ?? []).entries()) {
      checked += 1;
      for (const part of ['payload', 'headers']) {
        const path = `components/messages/${key}/examples/${index}/${part}`;
        const reference = `document://it${message[part].$ref}/schema`;
        try {
          const validate = ajv.compile({ $ref: reference });
          if (!validate(example[part])) {
            for (const error of validate.errors) {
              const message = `${error.instancePath} ${error.message}`;
              findings.push({ code: 'example', path, message });
            }
          }
        } catch (error) {
          findings.push({ code: 'schema', path, message: error.message });
        }
      }
    }
  }
  return checked;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
