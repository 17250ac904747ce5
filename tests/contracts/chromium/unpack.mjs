// Unpacks the Chromium of the package into the folder of this script, and writes `chromium.sh` there,
// which starts it with the libraries, fonts and arguments that the package gives. The folder may be
// moved afterwards.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.dirname(fileURLToPath(import.meta.url));

// The package unpacks into the folder for temporary files, and libraries only where it takes the
// system for one that lacks them.
process.env.TMPDIR = folder;
process.env.AWS_LAMBDA_JS_RUNTIME = 'nodejs24.x';
const { default: chromium } = await import('@sparticuz/chromium');

const program = await chromium.executablePath();
if (path.dirname(program) !== folder) throw new Error(`it was unpacked at ${program}`);

// The package's own file names folders of the system that it is made for.
fs.writeFileSync(path.join(folder, 'fonts', 'fonts.conf'), `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`);

const quoted = (word) => `'${word.replaceAll("'", `'\\''`)}'`;
fs.writeFileSync(path.join(folder, 'chromium.sh'), `#!/bin/sh
# Made by unpack.mjs.
folder=$(CDPATH= cd -- "\${0%/*}" && pwd) || exit 1
export LD_LIBRARY_PATH="$folder/al2023/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export FONTCONFIG_PATH="$folder/fonts"
exec "$folder/${path.basename(program)}" ${chromium.args.map(quoted).join(' ')} "$@"
`, { mode: 0o755 });
