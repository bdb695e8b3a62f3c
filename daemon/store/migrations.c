/*
 * migrations.c: the schema, as the steps that led to it. Append only: a step that was released is never
 * changed.
 *
 * One statement a step, or what no statement can do, so that engines whose DDL is not transactional can stop between any two.
 * The words with a '$' are the driver's: $INT is INTEGER on SQLite and BIGINT on PostgreSQL, $BLOB is
 * BLOB and BYTEA, $TEXT gets COLLATE "C" there, $BY_KEY stores the rows in the order of their key where
 * the engine can. The bucket comes first in every key of every table about people; hot tables are kept
 * in the order in which they are read. The database's version is the number of steps that were run.
 */
#include <string.h>

#include "base/crash.h"

#include "claim_rows.h"
#include "inside.h"

/* A step that is not SQL: claim_rows_move(). */
#define MOVE_CLAIMS "claims are moved"

static const char *const steps[] = {
	/* the site */
	"CREATE TABLE lease ("
	" bucket $INT NOT NULL,"
	" owner $TEXT NOT NULL,"
	" epoch $INT NOT NULL,"
	" until_us $INT NOT NULL,"
	" PRIMARY KEY (bucket)) $BY_KEY",

	"CREATE TABLE setting ("
	" name $TEXT NOT NULL,"
	" value $BLOB NOT NULL,"
	" PRIMARY KEY (name)) $BY_KEY",

	"CREATE TABLE mailbox ("
	" name $TEXT NOT NULL,"
	" uidvalidity $INT NOT NULL,"
	" last_uid $INT NOT NULL,"
	" PRIMARY KEY (name)) $BY_KEY",

	"CREATE TABLE turn ("
	" owner $TEXT NOT NULL,"
	" taken $INT NOT NULL,"
	" PRIMARY KEY (owner)) $BY_KEY",

	"CREATE TABLE link ("
	" template $TEXT NOT NULL,"
	" since $INT NOT NULL,"
	" digest $BLOB NOT NULL,"
	" place $INT NOT NULL,"
	" url $TEXT NOT NULL,"
	" PRIMARY KEY (template, since, place)) $BY_KEY",

	/* people */
	"CREATE TABLE prospect ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" address $TEXT NOT NULL,"
	" address_key $TEXT NOT NULL,"
	" fields $TEXT NOT NULL,"
	" stage $TEXT NOT NULL,"
	" list $TEXT NOT NULL,"
	" form $TEXT NOT NULL,"
	" language $TEXT NOT NULL,"
	" timezone $TEXT NOT NULL,"
	" consent $INT NOT NULL,"
	" fit $REAL NOT NULL,"
	" interest $REAL NOT NULL,"
	" interest_at $INT NOT NULL,"
	" intent $TEXT NOT NULL,"
	" intent_at $INT NOT NULL,"
	" hot $INT NOT NULL,"
	" hot_at $INT NOT NULL,"
	" recheck $INT NOT NULL,"
	" recheck_rule $INT NOT NULL,"
	" recheck_id $INT NOT NULL,"
	" created $INT NOT NULL,"
	" changed $INT NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	"CREATE TABLE address ("
	" bucket $INT NOT NULL,"
	" address_key $TEXT NOT NULL,"
	" prospect $INT NOT NULL,"
	" PRIMARY KEY (bucket, address_key)) $BY_KEY",

	"CREATE TABLE event ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" name $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" id $INT NOT NULL,"
	" subject $TEXT NOT NULL,"
	" data $TEXT NOT NULL,"
	" points $REAL NOT NULL,"
	" PRIMARY KEY (bucket, prospect, name, at, id)) $BY_KEY",

	"CREATE TABLE score_term ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" rule $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" event $INT NOT NULL,"
	" points $REAL NOT NULL,"
	" PRIMARY KEY (bucket, prospect, rule, at, event)) $BY_KEY",

	"CREATE TABLE hit ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" delivery $INT NOT NULL,"
	" kind $TEXT NOT NULL,"
	" place $INT NOT NULL,"
	" at $INT NOT NULL,"
	" agent $TEXT NOT NULL,"
	" ip $TEXT NOT NULL,"
	" verdict $INT NOT NULL,"
	" reasons $INT NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	"CREATE INDEX hit_delivery ON hit (bucket, delivery, at)",

	"CREATE TABLE enrolment ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" id $INT NOT NULL,"
	" sequence $TEXT NOT NULL,"
	" step $TEXT NOT NULL,"
	" state $INT NOT NULL,"
	" entered $INT NOT NULL,"
	" ended $INT NOT NULL,"
	" why $TEXT NOT NULL,"
	" due $INT NOT NULL,"
	" queue_id $INT NOT NULL,"
	" lane $INT NOT NULL,"
	" PRIMARY KEY (bucket, prospect, id)) $BY_KEY",

	"CREATE TABLE queue ("
	" bucket $INT NOT NULL,"
	" lane $INT NOT NULL,"
	" due $INT NOT NULL,"
	" id $INT NOT NULL,"
	" kind $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" ref $INT NOT NULL,"
	" name $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, lane, due, id)) $BY_KEY",

	"CREATE TABLE delivery ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" kind $INT NOT NULL,"
	" state $INT NOT NULL,"
	" enrolment $INT NOT NULL,"
	" sequence $TEXT NOT NULL,"
	" step $TEXT NOT NULL,"
	" template $TEXT NOT NULL,"
	" address $TEXT NOT NULL,"
	" download $TEXT NOT NULL,"
	" ref $INT NOT NULL,"
	" attempt $INT NOT NULL,"
	" planned $INT NOT NULL,"
	" done $INT NOT NULL,"
	" code $INT NOT NULL,"
	" reply $TEXT NOT NULL,"
	" relay_id $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	"CREATE INDEX delivery_prospect ON delivery (bucket, prospect)",
	/* those that people ask for: all but sent (3), which is nearly all of them */
	"CREATE INDEX delivery_state ON delivery (state, id) WHERE state <> 3",

	/* as delivery, and who claimed it when */
	"CREATE TABLE sending ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" kind $INT NOT NULL,"
	" state $INT NOT NULL,"
	" enrolment $INT NOT NULL,"
	" sequence $TEXT NOT NULL,"
	" step $TEXT NOT NULL,"
	" template $TEXT NOT NULL,"
	" address $TEXT NOT NULL,"
	" download $TEXT NOT NULL,"
	" ref $INT NOT NULL,"
	" attempt $INT NOT NULL,"
	" planned $INT NOT NULL,"
	" done $INT NOT NULL,"
	" code $INT NOT NULL,"
	" reply $TEXT NOT NULL,"
	" relay_id $TEXT NOT NULL,"
	" epoch $INT NOT NULL,"
	" claimed $INT NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	"CREATE TABLE suppression ("
	" bucket $INT NOT NULL,"
	" hash $BLOB NOT NULL,"
	" reason $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" source $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, hash)) $BY_KEY",

	"CREATE TABLE consent ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" what $TEXT NOT NULL,"
	" purpose $TEXT NOT NULL,"
	" words $TEXT NOT NULL,"
	" form $TEXT NOT NULL,"
	" page $TEXT NOT NULL,"
	" ip $TEXT NOT NULL,"
	" agent $TEXT NOT NULL,"
	" data $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" ref $INT NOT NULL,"
	" place $INT NOT NULL,"
	" salt $BLOB NOT NULL,"
	" digest $BLOB NOT NULL,"
	" chain $BLOB NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	"CREATE INDEX consent_prospect ON consent (bucket, prospect)",

	/* the end of each bucket's chain: few rows, so that a transaction's consents share their pages */
	"CREATE TABLE consent_tip ("
	" bucket $INT NOT NULL,"
	" place $INT NOT NULL,"
	" chain $BLOB NOT NULL,"
	" PRIMARY KEY (bucket)) $BY_KEY",

	"CREATE TABLE lead ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" state $TEXT NOT NULL,"
	" owner $TEXT NOT NULL,"
	" reason $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" answered $INT NOT NULL,"
	" answer $TEXT NOT NULL,"
	" amount $REAL NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	"CREATE INDEX lead_prospect ON lead (bucket, prospect, at)",
	"CREATE INDEX lead_at ON lead (at, id)",

	"CREATE TABLE alert ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" lead $INT NOT NULL,"
	" url $TEXT NOT NULL,"
	" shape $TEXT NOT NULL,"
	" body $TEXT NOT NULL,"
	" state $INT NOT NULL,"
	" attempt $INT NOT NULL,"
	" created $INT NOT NULL,"
	" due $INT NOT NULL,"
	" done $INT NOT NULL,"
	" code $INT NOT NULL,"
	" error $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	"CREATE INDEX alert_state ON alert (state, created)",

	"CREATE TABLE once ("
	" bucket $INT NOT NULL,"
	" once_key $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" answer $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, once_key)) $BY_KEY",

	"CREATE TABLE inbound ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" mailbox $TEXT NOT NULL,"
	" received $INT NOT NULL,"
	" class $TEXT NOT NULL,"
	" prospect $INT NOT NULL,"
	" delivery $INT NOT NULL,"
	" summary $TEXT NOT NULL,"
	" bytes $INT NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	/* by the bucket of the hash: a mail is known before anybody knows whose it is */
	"CREATE TABLE inbound_hash ("
	" bucket $INT NOT NULL,"
	" hash $BLOB NOT NULL,"
	" inbound $INT NOT NULL,"
	" PRIMARY KEY (bucket, hash)) $BY_KEY",

	"CREATE TABLE inbound_raw ("
	" bucket $INT NOT NULL,"
	" received $INT NOT NULL,"
	" inbound $INT NOT NULL,"
	" raw $BLOB NOT NULL,"
	" PRIMARY KEY (bucket, received, inbound)) $ROWS",

	"CREATE TABLE journal ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" id $INT NOT NULL,"
	" at $INT NOT NULL,"
	" kind $TEXT NOT NULL,"
	" what $TEXT NOT NULL,"
	" why $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, prospect, id)) $BY_KEY",

	"CREATE TABLE visitor ("
	" bucket $INT NOT NULL,"
	" anonymous_id $TEXT NOT NULL,"
	" prospect $INT NOT NULL,"
	" since $INT NOT NULL,"
	" PRIMARY KEY (bucket, anonymous_id)) $BY_KEY",

	"CREATE TABLE visitor_event ("
	" bucket $INT NOT NULL,"
	" anonymous_id $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" id $INT NOT NULL,"
	" name $TEXT NOT NULL,"
	" subject $TEXT NOT NULL,"
	" data $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, anonymous_id, at, id)) $BY_KEY",

	/* tags, and the list that a step moved them to */
	"ALTER TABLE prospect ADD COLUMN tags $TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE prospect ADD COLUMN moved_list $TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE prospect ADD COLUMN moved_until $INT NOT NULL DEFAULT 0",

	/* which version of the sequence they go through, when the gate first allowed the step at hand, and whether they are only watched */
	"ALTER TABLE enrolment ADD COLUMN version $TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE enrolment ADD COLUMN allowed $INT NOT NULL DEFAULT 0",
	"ALTER TABLE enrolment ADD COLUMN heldout $INT NOT NULL DEFAULT 0",

	/* which arm of a test it is */
	"ALTER TABLE delivery ADD COLUMN arm $TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE sending ADD COLUMN arm $TEXT NOT NULL DEFAULT ''",

	/* who saw which arm, and whether it did what the test asks for */
	"CREATE TABLE trial ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" enrolment $INT NOT NULL,"
	" step $TEXT NOT NULL,"
	" test $TEXT NOT NULL,"
	" arm $TEXT NOT NULL,"
	" template $TEXT NOT NULL,"
	" event $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" until_us $INT NOT NULL,"
	" won $INT NOT NULL,"
	" PRIMARY KEY (bucket, prospect, enrolment, step, at)) $BY_KEY",

	/* the same as sums, by the day on which it was seen; in a few shards, so that several writers do not wait for one row */
	"CREATE TABLE arm_day ("
	" test $TEXT NOT NULL,"
	" arm $TEXT NOT NULL,"
	" day $INT NOT NULL,"
	" shard $INT NOT NULL,"
	" shown $INT NOT NULL,"
	" won $INT NOT NULL,"
	" PRIMARY KEY (test, arm, day, shard)) $BY_KEY",

	"CREATE TABLE test_end ("
	" test $TEXT NOT NULL,"
	" arm $TEXT NOT NULL,"
	" at $INT NOT NULL,"
	" why $TEXT NOT NULL,"
	" PRIMARY KEY (test)) $BY_KEY",

	/* sequences as they were written, for those who finish an older one */
	"CREATE TABLE sequence_version ("
	" sequence $TEXT NOT NULL,"
	" version $TEXT NOT NULL,"
	" since $INT NOT NULL,"
	" source $TEXT NOT NULL,"
	" PRIMARY KEY (sequence, version)) $BY_KEY",

	/* how many events there are of each kind, for what asks of all times */
	"CREATE TABLE event_count ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" name $TEXT NOT NULL,"
	" subject $TEXT NOT NULL,"
	" events $INT NOT NULL,"
	" newest $INT NOT NULL,"
	" PRIMARY KEY (bucket, prospect, name, subject)) $BY_KEY",

	"INSERT INTO event_count (bucket, prospect, name, subject, events, newest)"
	" SELECT bucket, prospect, name, subject, COUNT(*), MAX(at) FROM event"
	" GROUP BY bucket, prospect, name, subject",

	/* what test mails say in place of what is known of a person */
	"CREATE TABLE mail_data ("
	" bucket $INT NOT NULL,"
	" delivery $INT NOT NULL,"
	" data $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, delivery)) $BY_KEY",

	/* hits by mail, with what was seen of them: the verdict is found again from it */
	"ALTER TABLE hit RENAME TO hit_before",

	"CREATE TABLE hit ("
	" bucket $INT NOT NULL,"
	" delivery $INT NOT NULL,"
	" at $INT NOT NULL,"
	" id $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" kind $TEXT NOT NULL,"
	" place $INT NOT NULL,"
	" traits $INT NOT NULL,"
	" times $INT NOT NULL,"
	" agent $TEXT NOT NULL,"
	" ip $TEXT NOT NULL,"
	" verdict $INT NOT NULL,"
	" reasons $INT NOT NULL,"
	" settled $INT NOT NULL,"
	" event $INT NOT NULL,"
	" PRIMARY KEY (bucket, delivery, at, id)) $BY_KEY",

	/* what was not looked at then counts for them: they had Accept and Accept-Language (6); settled 1: nobody noted which event it became */
	"INSERT INTO hit (bucket, delivery, at, id, prospect, kind, place, traits, times, agent, ip, verdict, reasons, settled, event)"
	" SELECT bucket, delivery, at, id, prospect, kind, place, 6 + (reasons & 1), 1, agent, ip, verdict, reasons,"
	"  CASE WHEN EXISTS (SELECT 1 FROM queue WHERE queue.bucket = hit_before.bucket AND queue.lane = 0 AND queue.kind = 2"
	"   AND queue.ref = hit_before.id) THEN 0 ELSE 1 END, 0"
	" FROM hit_before",

	/* what falls due is the mail, not the hit */
	"UPDATE queue SET ref = (SELECT delivery FROM hit_before WHERE hit_before.bucket = queue.bucket AND hit_before.id = queue.ref)"
	" WHERE kind = 2 AND EXISTS (SELECT 1 FROM hit_before WHERE hit_before.bucket = queue.bucket AND hit_before.id = queue.ref)",

	"DROP TABLE hit_before",

	"CREATE TABLE hit_day ("
	" sequence $TEXT NOT NULL,"
	" step $TEXT NOT NULL,"
	" template $TEXT NOT NULL,"
	" kind $TEXT NOT NULL,"
	" verdict $INT NOT NULL,"
	" day $INT NOT NULL,"
	" shard $INT NOT NULL,"
	" mails $INT NOT NULL,"
	" PRIMARY KEY (sequence, step, template, kind, verdict, day, shard)) $BY_KEY",

	"CREATE TABLE alarm ("
	" kind $TEXT NOT NULL,"
	" what $TEXT NOT NULL,"
	" times $INT NOT NULL,"
	" first $INT NOT NULL,"
	" last $INT NOT NULL,"
	" sample $TEXT NOT NULL,"
	" PRIMARY KEY (kind, what)) $BY_KEY",

	/* since when they consent and how long that holds; what they chose: topics, a pause, a limit of their own */
	"ALTER TABLE prospect ADD COLUMN consent_at $INT NOT NULL DEFAULT 0",
	"ALTER TABLE prospect ADD COLUMN consent_until $INT NOT NULL DEFAULT 0",
	"ALTER TABLE prospect ADD COLUMN topics $TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE prospect ADD COLUMN paused_until $INT NOT NULL DEFAULT 0",
	"ALTER TABLE prospect ADD COLUMN own_count $INT NOT NULL DEFAULT 0",
	"ALTER TABLE prospect ADD COLUMN own_within $INT NOT NULL DEFAULT 0",

	/* on what a consent rests, which version of the words was shown, until when it holds, who acted */
	"ALTER TABLE consent ADD COLUMN basis $TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE consent ADD COLUMN version $TEXT NOT NULL DEFAULT ''",
	"ALTER TABLE consent ADD COLUMN until_us $INT NOT NULL DEFAULT 0",
	"ALTER TABLE consent ADD COLUMN actor $TEXT NOT NULL DEFAULT ''",

	/* where people first came from, and where last */
	"CREATE TABLE touch ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" first_at $INT NOT NULL,"
	" first $TEXT NOT NULL,"
	" last_at $INT NOT NULL,"
	" last $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, prospect)) $BY_KEY",

	/* until when a person, or the people of a company, get no mails of sequences */
	"CREATE TABLE hold ("
	" bucket $INT NOT NULL,"
	" prospect $INT NOT NULL,"
	" until_us $INT NOT NULL,"
	" why $TEXT NOT NULL,"
	" PRIMARY KEY (bucket, prospect)) $BY_KEY",

	"CREATE TABLE company_hold ("
	" domain $TEXT NOT NULL,"
	" prospect $INT NOT NULL,"
	" until_us $INT NOT NULL,"
	" why $TEXT NOT NULL,"
	" PRIMARY KEY (domain)) $BY_KEY",

	/* deliverability by domain of the recipients, by day; in shards as arm_day */
	"CREATE TABLE domain_day ("
	" domain $TEXT NOT NULL,"
	" day $INT NOT NULL,"
	" shard $INT NOT NULL,"
	" sent $INT NOT NULL,"
	" deferred $INT NOT NULL,"
	" hard $INT NOT NULL,"
	" soft $INT NOT NULL,"
	" complaint $INT NOT NULL,"
	" open_human $INT NOT NULL,"
	" click_human $INT NOT NULL,"
	" PRIMARY KEY (domain, day, shard)) $BY_KEY",

	/* whose visitors they are, for erasure */
	"CREATE INDEX visitor_prospect ON visitor (prospect)",

	/* who opened and clicked, people and others */
	"ALTER TABLE domain_day ADD COLUMN open_machine $INT NOT NULL DEFAULT 0",
	"ALTER TABLE domain_day ADD COLUMN open_unknown $INT NOT NULL DEFAULT 0",
	"ALTER TABLE domain_day ADD COLUMN click_machine $INT NOT NULL DEFAULT 0",
	"ALTER TABLE domain_day ADD COLUMN click_unknown $INT NOT NULL DEFAULT 0",

	"CREATE TABLE mx_host ("
	" domain $TEXT NOT NULL,"
	" host $TEXT NOT NULL,"
	" until_us $INT NOT NULL,"
	" PRIMARY KEY (domain)) $BY_KEY",

	/* mails of a mailbox that were taken and are not done with there */
	"CREATE TABLE mailbox_mail ("
	" mailbox $TEXT NOT NULL,"
	" mail_key $TEXT NOT NULL,"
	" stays $INT NOT NULL,"
	" PRIMARY KEY (mailbox, mail_key)) $BY_KEY",

	/* how many were opened and clicked lately */
	"CREATE INDEX hit_day_day ON hit_day (day)",

	"CREATE INDEX mx_host_until ON mx_host (until_us)",

	/* hits that came in, many a row, until it is worked out what follows from them */
	"CREATE TABLE hit_pack ("
	" id $INT NOT NULL,"
	" hits $INT NOT NULL,"
	" body $BLOB NOT NULL,"
	" PRIMARY KEY (id)) $ROWS",

	/* mails in `sending` that may have gone out: those of one transaction, which and when claimed */
	"CREATE TABLE dot ("
	" id $INT NOT NULL,"
	" deliveries $BLOB NOT NULL,"
	" PRIMARY KEY (id)) $ROWS",

	/* each in a bucket, so that several daemons can share the work; those that were one daemon's, in one of its own */
	"ALTER TABLE hit_pack RENAME TO hit_pack_before",

	"CREATE TABLE hit_pack ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" hits $INT NOT NULL,"
	" body $BLOB NOT NULL,"
	" PRIMARY KEY (bucket, id)) $ROWS",

	"INSERT INTO hit_pack (bucket, id, hits, body)"
	" SELECT 0, id, hits, body FROM hit_pack_before",

	"DROP TABLE hit_pack_before",

	/* those that cannot be read */
	"CREATE TABLE hit_damaged ("
	" bucket $INT NOT NULL,"
	" at $INT NOT NULL,"
	" id $INT NOT NULL,"
	" hits $INT NOT NULL,"
	" why $TEXT NOT NULL,"
	" body $BLOB NOT NULL,"
	" PRIMARY KEY (bucket, at, id)) $ROWS",

	/* mails that are on their way: those that a transaction claimed in one row */
	"ALTER TABLE sending RENAME TO sending_before",

	"CREATE TABLE sending ("
	" bucket $INT NOT NULL,"
	" id $INT NOT NULL,"
	" claims $BLOB NOT NULL,"
	" PRIMARY KEY (bucket, id)) $BY_KEY",

	MOVE_CLAIMS,

	"DROP TABLE sending_before",
};

#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

/* The step in the engine's own words. */
static void translate(const struct driver *driver, const char *step, struct buf *out)
{
	buf_reset(out);
	while (*step) {
		const struct driver_word *w = driver->words;
		size_t len = 0;

		for (; *step == '$' && w->word; w++) {
			len = strlen(w->word);
			if (strncmp(step, w->word, len) == 0)
				break;
		}
		if (*step == '$' && w->word) {
			buf_str(out, w->text);
			step += len;
		} else {
			buf_char(out, *step++);
		}
	}
}

static int run_step(struct db *db, const char *step, struct buf *ddl, struct err *err)
{
	if (strcmp(step, MOVE_CLAIMS) == 0)
		return claim_rows_move(db, err);
	translate(db->driver, step, ddl);
	return db->driver->define(db->connection, buf_cstr(ddl), err);
}

static int run_steps(struct db *db, int from, int to, struct err *err)
{
	struct buf ddl = BUF_INIT;
	int rc = 0;

	for (int i = from; i < to && rc == 0; i++) {
		rc = run_step(db, steps[i], &ddl, err);
		if (rc == 0)
			rc = db->driver->set_version(db->connection, i + 1, err);
		CRASH_POINT("migrate.step");
	}
	buf_clear(&ddl);
	return rc;
}

int migrations_run(struct db *db, int most, struct err *err)
{
	int to = most < STEPS ? most : STEPS;
	int version;

	if (db->driver->get_version(db->connection, &version, err) < 0)
		return -1;
	if (version > STEPS)
		return err_set(err, "the database has schema %d, this program knows %d: "
				"it was written by a newer version; install that again", version, STEPS);
	if (version >= to)
		return 0;
	if (db_begin(db, err) < 0)
		return err_prefix(err, "upgrading the schema");
	if (run_steps(db, version, to, err) < 0 || db_commit(db, err) < 0) {
		db_rollback(db);
		return err_prefix(err, "upgrading the schema from %d to %d", version, to);
	}
	return 0;
}
