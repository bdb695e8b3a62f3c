// mailparser, a second judge: reads messages from standard input, each behind its length in four bytes, and writes what it found, a line of JSON each.
const { simpleParser } = require('mailparser');

function people(field) {
	return field ? field.value.map((p) => ({ name: p.name, address: p.address })) : [];
}

async function main() {
	const chunks = [];
	for await (const chunk of process.stdin)
		chunks.push(chunk);
	const all = Buffer.concat(chunks);
	for (let at = 0; at < all.length;) {
		const n = all.readUInt32BE(at);
		const mail = await simpleParser(all.subarray(at + 4, at + 4 + n), { keepCidLinks: true, skipTextToHtml: true });
		at += 4 + n;
		process.stdout.write(JSON.stringify({
			subject: mail.subject || '', from: people(mail.from), to: people(mail.to), text: mail.text, html: mail.html,
			messageId: mail.messageId, references: mail.references,
			files: mail.attachments.map((a) => ({ name: a.filename, type: a.contentType, cid: a.cid || null, sum: a.checksum, related: !!a.related })),
		}) + '\n');
	}
}

main();
