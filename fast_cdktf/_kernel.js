// Runs jsii's kernel in the process that Python starts.
//
// jsii's own entry point starts a second Node for the kernel, which it talks to over file descriptor 3, and only hands
// messages on. Here the kernel (program.js, unchanged) talks to Python itself, over standard input and output.
"use strict";

const fs = require("fs");
const { Writable } = require("stream");

const { readSync, writeSync } = fs;
fs.readSync = (fd, ...rest) => readSync(fd === 3 ? 0 : fd, ...rest);
fs.writeSync = (fd, ...rest) => writeSync(fd === 3 ? 1 : fd, ...rest);

// what the app prints goes to Python over standard error, a JSON object a line
for (const name of ["stdout", "stderr"]) {
  const write = (chunk, _encoding, done) => {
    writeSync(2, `${JSON.stringify({ [name]: chunk.toString("base64") })}\n`);
    done();
  };
  Object.defineProperty(process, name, { value: new Writable({ write }) });
}

require("./program.js");
