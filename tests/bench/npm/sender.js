// sender.js: what a careful Node program would do in nurtured's place, for bench.py to measure it against: nodemailer's pool, Handlebars and
// better-sqlite3 (WAL, synchronous FULL). It claims 1,000 due rows a transaction, composes and sends them, and records in one transaction
// every 5 ms what was answered meanwhile: the delivery, the next step of the sequence, when that is due. So it has no row twice and loses none.
//
//	sender.js seed DB NATIVE PROSPECTS DUE
//	sender.js send DB NATIVE PORT CONNECTIONS TEMPLATES
//
// NATIVE is the compiled half of better-sqlite3, TEMPLATES a folder with subject, html and text. It prints "sent N" when nothing is due any more, and ends when its standard input does.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const Database = require('better-sqlite3');
const Handlebars = require('handlebars');
const nodemailer = require('nodemailer');

const CLAIM = 1000;
const RECORD_MS = 5;
const WAITING = 200;	// composed and in the pool's queue; more would only cost memory
const SITE = 'https://t.example.com';
const LINKS = 5;

const SCHEMA = `
CREATE TABLE prospect (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, fields TEXT NOT NULL, consent INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE TABLE enrolment (id INTEGER PRIMARY KEY, prospect INTEGER NOT NULL UNIQUE, step TEXT NOT NULL, due INTEGER NOT NULL);
CREATE TABLE queue (due INTEGER NOT NULL, enrolment INTEGER NOT NULL, PRIMARY KEY (due, enrolment)) WITHOUT ROWID;
CREATE TABLE sending (id INTEGER PRIMARY KEY, enrolment INTEGER NOT NULL, claimed INTEGER NOT NULL);
CREATE TABLE delivery (id INTEGER PRIMARY KEY, prospect INTEGER NOT NULL, enrolment INTEGER NOT NULL, step TEXT NOT NULL, state INTEGER NOT NULL,
	done INTEGER NOT NULL, reply TEXT NOT NULL);
CREATE INDEX delivery_prospect ON delivery (prospect);
CREATE TABLE suppression (address TEXT PRIMARY KEY) WITHOUT ROWID;
`;

function open(file, native) {
	const db = new Database(file, { nativeBinding: native });
	db.pragma('journal_mode = WAL');
	db.pragma('synchronous = FULL');
	db.pragma('cache_size = -65536');
	return db;
}

function seed(file, native, prospects, due) {
	const db = open(file, native);
	db.exec(SCHEMA);
	const person = db.prepare('INSERT INTO prospect VALUES (?, ?, ?, 1, ?)');
	const enrolment = db.prepare('INSERT INTO enrolment VALUES (?, ?, ?, ?)');
	const queue = db.prepare('INSERT INTO queue VALUES (?, ?)');
	const now = Date.now();
	db.transaction(() => {
		for (let n = 0; n < prospects; n++) {
			person.run(n, `person${n}@people${n % 97}.example`, JSON.stringify({ first_name: `Person${n}`, company: `Company ${n % 1000} & Sons`,
				role: `Head of Department ${n % 50}`, country: 'DE' }), now);
			if (n >= due)
				continue;
			enrolment.run(n, n, 'mail', now);
			queue.run(now, n);
		}
	})();
	db.close();
}

// --- one message

const secret = crypto.randomBytes(32);

// a signed id, as links, the return path and the one-click header need it
function token(kind, id, link) {
	const bytes = Buffer.alloc(13);
	bytes.write(kind, 0, 'latin1');
	bytes.writeBigInt64BE(BigInt(id), 1);
	bytes[9] = link;
	return Buffer.concat([bytes, crypto.createHmac('sha256', secret).update(bytes).digest().subarray(0, 8)]).toString('hex');
}

function templates(folder) {
	const read = (name, options) => Handlebars.compile(fs.readFileSync(`${folder}/${name}`, 'utf8'), options);
	return { subject: read('subject', { noEscape: true }), html: read('html'), text: read('text', { noEscape: true }) };
}

function compose(mail, t) {
	const values = JSON.parse(mail.fields);
	const stop = `${SITE}/u/${token('u', mail.id, 0)}`;
	values.is_head = values.role.includes('Head');
	values.is_us = values.country === 'US';
	values.parts = [1, 2, 3, 4, 5];
	values.links = [];
	for (let i = 0; i < LINKS; i++)
		values.links.push(`${SITE}/c/${token('c', mail.id, i)}`);
	values.unsubscribe_url = stop;
	values.open_url = `${SITE}/o/${token('o', mail.id, 0)}.gif`;
	return {
		from: 'Ana at Example <ana@example.com>',
		to: mail.address,
		replyTo: `r+${token('r', mail.id, 0)}@reply.example.com`,
		envelope: { from: `b+${token('b', mail.id, 0)}@bounce.example.com`, to: mail.address },
		messageId: `<${token('m', mail.id, 0)}@example.com>`,
		subject: t.subject(values),
		html: t.html(values),
		text: t.text(values),
		headers: { 'List-Unsubscribe': `<${stop}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click', 'List-Id': 'Example <list.example.com>',
			'Feedback-ID': 'bench:mail:example', 'Auto-Submitted': 'auto-generated' },
	};
}

// --- the database

function statements(db) {
	const due = db.prepare('SELECT due, enrolment FROM queue WHERE due <= ? ORDER BY due, enrolment LIMIT ?');
	const taken = db.prepare('DELETE FROM queue WHERE due = ? AND enrolment = ?');
	const claim = db.prepare('INSERT INTO sending (enrolment, claimed) VALUES (?, ?)');
	const about = db.prepare('SELECT e.id AS enrolment, e.step, p.id AS prospect, p.address, p.fields FROM enrolment e JOIN prospect p ON p.id = e.prospect ' +
		'WHERE e.id = ? AND p.consent = 1 AND NOT EXISTS (SELECT 1 FROM suppression s WHERE s.address = p.address)');
	const delivery = db.prepare('INSERT INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?)');
	const next = db.prepare('UPDATE enrolment SET step = ?, due = ? WHERE id = ?');
	const later = db.prepare('INSERT INTO queue VALUES (?, ?)');
	const ended = db.prepare('DELETE FROM sending WHERE id = ?');

	return {
		claim: db.transaction((now) => {
			const mails = [];
			for (const row of due.all(now, CLAIM)) {
				taken.run(row.due, row.enrolment);
				const mail = about.get(row.enrolment);
				if (mail)
					mails.push({ ...mail, id: Number(claim.run(row.enrolment, now).lastInsertRowid) });
			}
			return mails;
		}),
		record: db.transaction((done) => {
			const now = Date.now(), month = now + 30 * 24 * 3600 * 1000;
			for (const { mail, sent, reply } of done) {
				delivery.run(mail.id, mail.prospect, mail.enrolment, mail.step, sent ? 3 : 5, now, reply);
				next.run('again', month, mail.enrolment);
				later.run(month, mail.enrolment);
				ended.run(mail.id);
			}
		}),
	};
}

function send(file, native, port, connections, folder) {
	const db = open(file, native);
	const rows = statements(db);
	const t = templates(folder);
	const pool = nodemailer.createTransport({ pool: true, host: '127.0.0.1', port, secure: false, ignoreTLS: true, maxConnections: connections,
		maxMessages: Infinity });
	let claimed = rows.claim(Date.now()), at = 0, waiting = 0, sent = 0, done = [];

	function fill() {
		while (waiting < WAITING) {
			if (at === claimed.length) {
				claimed = rows.claim(Date.now());
				at = 0;
				if (!claimed.length)
					return;
			}
			const mail = claimed[at++];
			waiting++;
			pool.sendMail(compose(mail, t), (error, info) => {
				waiting--;
				done.push({ mail, sent: !error, reply: error ? String(error.response || error.message) : info.response });
				fill();
			});
		}
	}

	const timer = setInterval(() => {
		if (done.length) {
			rows.record(done);
			sent += done.length;
			done = [];
		} else if (!waiting && at === claimed.length) {
			clearInterval(timer);
			pool.close();
			console.log('sent ' + sent);
		}
	}, RECORD_MS);
	fill();
	process.stdin.on('end', () => { db.close(); process.exit(); }).resume();
}

const [, , what, file, native, ...rest] = process.argv;
if (what === 'seed')
	seed(file, native, Number(rest[0]), Number(rest[1]));
else
	send(file, native, Number(rest[0]), Number(rest[1]), rest[2]);
