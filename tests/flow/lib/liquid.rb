# Shopify's side of the differential test of Liquid (tests/flow/liquid.py): a case a line in, an answer a line out, as
# tests/language/batch.c has it. Debian's ruby-liquid, strict, and with what Rails adds to it where Liquid runs at its makers':
# blank?.
require 'json'
require 'liquid'
require 'time'

ENV['TZ'] = 'UTC'

class Object
  def blank?
    respond_to?(:empty?) ? !!empty? : !self
  end
end

class String
  def blank?
    match?(/\A[[:space:]]*\z/)
  end
end

class Numeric
  def blank?
    false
  end
end

# What README names under "Where our Liquid differs", so that all else can be compared: a number has no size; there is no
# negative zero, and nothing is divided by zero; what base64 stands for is UTF-8; items that sort_natural knows nothing of
# stay in their order; forloop as a whole is an object; whole numbers have 64 bits, and what is larger becomes a decimal.
class Integer
  undef_method :size
end

class BigDecimal
  alias_method :signed_to_f, :to_f
  def to_f
    signed_to_f + 0.0
  end

  alias_method :divided, :/
  def /(other)
    raise ZeroDivisionError, 'divided by 0' if other.zero?
    divided(other)
  end
end

class Integer
  alias_method :divided, :/
  def /(other)
    raise ZeroDivisionError, 'divided by 0' if other.zero?
    divided(other)
  end

  alias_method :rest, :%
  def %(other)
    raise ZeroDivisionError, 'divided by 0' if other.zero?
    rest(other)
  end
end

class Liquid::ForloopDrop
  def to_s
    %w[name length index index0 rindex rindex0 first last].to_h { |key| [key, public_send(key)] }.inspect
  end
end

module OurFilters
  %i[abs at_least at_most ceil divided_by floor minus modulo plus round times].each do |name|
    define_method(name) do |*args|
      result = super(*args)
      result.is_a?(Integer) && result.bit_length > 63 ? result.to_f : result
    end
  end

  def base64_decode(input)
    text(super)
  end

  def base64_url_safe_decode(input)
    text(super)
  end

  private

  def text(bytes)
    text = bytes.dup.force_encoding('UTF-8')
    raise Liquid::ArgumentError, 'not UTF-8' unless text.valid_encoding?
    text
  end

  def nil_safe_casecmp(a, b)
    a.nil? && b.nil? ? 0 : super
  end
end

Liquid::Template.register_filter(OurFilters)

class Files
  def initialize(files)
    @files = files
  end

  def read_template_file(name)
    @files.fetch(name) { raise Liquid::FileSystemError, "no #{name}" }
  end
end

def answer(test)
  template = Liquid::Template.parse(test['template'], error_mode: :strict)
  files = Files.new(test['templates'] || {})
  out = template.render!(test['data'], registers: { file_system: files })
  out = out.dup.force_encoding('UTF-8')
  out.valid_encoding? ? { out: out } : { refused: 'not UTF-8' }
rescue SystemExit, Interrupt, NoMemoryError
  raise
rescue Exception => e
  { refused: "#{e.class}: #{e.message} #{e.cause&.message}" }
end

# What there is, for the test to see that it leaves nothing out.
if ARGV == ['--names']
  puts JSON.generate(filters: Liquid::StandardFilters.public_instance_methods(false), tags: Liquid::Template.tags.map(&:first))
  exit
end

STDIN.set_encoding('UTF-8')
STDOUT.set_encoding('UTF-8')
STDOUT.sync = true
STDIN.each_line do |line|
  puts JSON.generate(answer(JSON.parse(line)))
end
