/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/cost/price.h"
#include "t/unit/tap.h"

static void shown(int64_t nano, const char *text, const char *exact)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
	struct money m = { true, nano, "USD" };

	money_add_text(&sb, &m);
	is_str(sb.buf, text, "shown: %s", text);
	strbuf_clear(&sb);
	money_add_exact(&sb, &m);
	is_str(sb.buf, exact, "exact: %s", exact);
}

static void parsed(const char *s, int64_t nano, const char *currency)
{
	struct money m;
	bool good = money_parse(s, "USD", &m);

	ok(good, "reads '%s'", s);
	if (good) {
		is_int(m.nano, nano, "amount of '%s'", s);
		is_str(m.currency, currency, "currency of '%s'", s);
	}
}

static void test_parse(void)
{
	static const char *const bad[] = { "", "USD", "-1", "+1", "1.", ".5", "1e3", "1,5", "2.5 US",
					   "2.5 USDX", "2.5 U$D", "0.0000000001", "9223372036.9",
					   "99999999999999999999", "1 2 USD", "nan" };
	struct money m;

	parsed("2.50 USD", 2500000000, "USD");
	parsed("2.5USD", 2500000000, "USD");
	parsed("2.5 eur", 2500000000, "EUR");
	parsed("2.5", 2500000000, "USD");
	parsed("0", 0, "USD");
	parsed("0.000000001", 1, "USD");
	parsed("0.0000000010", 1, "USD");
	parsed("9223372036.854775807 JPY", INT64_MAX, "JPY");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!money_parse(bad[i], "USD", &m), "refuses '%s'", bad[i]);
	ok(!money_parse("1", "", &m), "needs some currency");
}

static void test_sum(void)
{
	struct money sum = { 0 }, usd = { true, 5, "USD" }, eur = { true, 5, "EUR" }, no = { 0 };
	struct money most = { true, INT64_MAX, "USD" };

	ok(money_sum(&sum, &no) && !sum.known, "nothing known stays unknown");
	ok(money_sum(&sum, &usd) && sum.nano == 5, "the first sets the currency");
	ok(money_sum(&sum, &no) && sum.nano == 5, "an unknown one changes nothing");
	ok(!money_sum(&sum, &eur) && sum.nano == 5, "currencies do not mix");
	ok(!money_sum(&sum, &most) && sum.nano == 5, "an overflow is refused");
}

int main(void)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	plan_lazy();
	shown(0, "0.00 USD", "0");
	shown(1, "0.000000001 USD", "0.000000001");
	shown(412345, "0.000412 USD", "0.000412345");
	shown(999600, "0.001 USD", "0.0009996");
	shown(12345678, "0.0123 USD", "0.012345678");
	shown(500000000, "0.50 USD", "0.5");
	shown(999999999, "1.00 USD", "0.999999999");
	shown(1234500000, "1.23 USD", "1.2345");
	shown(1235000000, "1.24 USD", "1.235");
	shown(-1235000000, "-1.24 USD", "-1.235");
	shown(INT64_MAX, "9223372036.85 USD", "9223372036.854775807");
	money_add_text(&sb, &(struct money){ 0 });
	is_str(sb.buf, "no price", "unknown is said, not 0");
	test_parse();
	test_sum();
	return done_testing();
}
