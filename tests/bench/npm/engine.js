// engine.js NAME TEMPLATE DATA: one engine of npm, for tests/bench/render.py. First a line with what it renders, as JSON; then a
// number of renders a line in, nanoseconds a render out. Both escape for HTML; both have compiled before they are asked; what they give
// becomes bytes, as ours is, and as a mail needs it: a string that JavaScript has joined may still lie about in parts.
'use strict';
const fs = require('fs');
const readline = require('readline');

const [, , name, templateFile, dataFile] = process.argv;
const source = fs.readFileSync(templateFile, 'utf8');
const data = JSON.parse(fs.readFileSync(dataFile, 'utf8'));
let render;

if (name === 'handlebars') {
	const template = require('handlebars').compile(source);
	render = () => template(data);
} else {
	const { Liquid } = require('liquidjs');
	const engine = new Liquid({ outputEscape: 'escape', cache: true });
	const template = engine.parse(source);
	render = () => engine.renderSync(template, data);
}

console.log(JSON.stringify(render()));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
	const renders = Number(line);
	let bytes = 0;
	const start = process.hrtime.bigint();
	for (let i = 0; i < renders; i++)
		bytes += Buffer.from(render(), 'utf8').length;
	const took = Number(process.hrtime.bigint() - start);
	console.log(bytes > 0 ? (took / renders).toFixed(1) : 'nothing');
});
