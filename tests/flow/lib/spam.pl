# SpamAssassin's rules over the files that are named, without the network: a line each, score, file, rules.
use strict;
use warnings;
use Mail::SpamAssassin;

my $judge = Mail::SpamAssassin->new({ local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => '/dev/null' });
$judge->init(1);
for my $file (@ARGV) {
	open(my $in, '<:raw', $file) or die "$file: $!";
	my @lines = <$in>;
	close($in);
	my $mail = $judge->parse(\@lines, 0);
	my $status = $judge->check($mail);
	printf "%.1f %s %s\n", $status->get_score(), $file, $status->get_names_of_tests_hit();
	$status->finish();
	$mail->finish();
}
