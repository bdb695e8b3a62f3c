# code.pl FILE...: C source without comments, `file:line:` before each line. With --no-strings first, what stands in
# quotation marks is blanked too (not in #include lines).
use strict;
use warnings;

my $strings = 1;
if (@ARGV && $ARGV[0] eq '--no-strings') {
	$strings = 0;
	shift @ARGV;
}

for my $file (@ARGV) {
	open(my $in, '<', $file) or die "$file: $!\n";
	local $/;
	my $text = <$in>;
	close $in;
	$text =~ s{
		(^[ \t]*\#[ \t]*include[^\n]*)			# 1 an include line
		| ("(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')	# 2 a string or a character
		| (/\*.*?\*/ | //[^\n]*)			# 3 a comment
	}{
		if (defined $1) { $1 }
		elsif (defined $2) { $strings ? $2 : substr($2, 0, 1) x 2 }
		else { my $c = $3; $c =~ s/[^\n]//g; $c || ' ' }
	}gmsex;
	my $n = 0;
	for my $line (split /\n/, $text) {
		$n++;
		print "$file:$n:$line\n" if $line =~ /\S/;
	}
}
