#include "cli/chat_form.hpp"

#include <doctest/doctest.h>

using namespace botel;

TEST_CASE("chat form: the fields are asked in order, and the answer is a summary and an object") {
  cli::ChatForm form({{"Name", "name", "", true, {}},
                      {"Size", "size", "", false, {{"s", "Small"}, {"m", "Medium"}}},
                      {"Note \"x\"", "no\"te", "none", false, {}},
                      {"Free", "free", "", false, {}}});
  CHECK(form.prompt() == "Name: ");
  CHECK_FALSE(form.enter("  "));
  CHECK(form.enter(" 홍길동 "));
  CHECK(form.prompt() == "Size (1 to 2): ");
  CHECK_FALSE(form.enter("3"));
  CHECK(form.enter("2"));
  CHECK(form.enter(""));
  CHECK_FALSE(form.complete());
  CHECK(form.enter(""));
  CHECK(form.complete());
  CHECK(form.summary() == "Name: 홍길동, Size: Medium, Note \"x\": none, Free: -");
  CHECK(form.json() == R"({"name":"홍길동","size":"m","no\"te":"none","free":""})");
}

TEST_CASE("chat form: an option is picked by number, text or value, the preset one by nothing") {
  for (const char* line : {"2", "Medium", "m", ""}) {
    CAPTURE(line);
    cli::ChatForm form({{"Size", "size", "m", true, {{"s", "Small"}, {"m", "Medium"}}}});
    CHECK(form.enter(line));
    CHECK(form.json() == R"({"size":"m"})");
  }
}

TEST_CASE("chat form: no fields are a complete form") { CHECK(cli::ChatForm().complete()); }
