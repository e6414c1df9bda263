// A sandwich shop, the conversation of the protocol's own examples: a sandwich, a sauce, who it is for, the order.
// The room's state is all that it remembers: {"step":"sauce","sandwich":"선식",...}
#include <botel/bot.hpp>
#include <botel/message.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::array kSandwiches{"오늘의 샌드위치", "닭가슴살 & 고구마", "선식"};
constexpr std::array kSauces{"발사믹", "오리엔탈", "머스타드", "사우전", "요거트"};
constexpr std::string_view kPictures = "https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/";
constexpr const char* kOrder = "주문하기";
constexpr const char* kStartOver = "처음부터";
constexpr std::size_t kLongestField = 100;  // bytes

// What the room remembers.
struct Order {
  std::string step, sandwich, sauce, name, phone;

  static Order read(std::string_view state) {
    const auto json = botel::json::parse(state);
    const auto text = [&](const char* name) { return std::string(botel::json::text(json, name)); };
    return {text("step"), text("sandwich"), text("sauce"), text("name"), text("phone")};
  }
  std::string write() const {
    botel::json::Object json;
    json.text("step", step);
    json.optional("sandwich", sandwich);
    json.optional("sauce", sauce);
    json.optional("name", name);
    json.optional("phone", phone);
    return json.json();
  }
};

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

template <class List>
bool contains(const List& list, std::string_view answer) {
  return std::find(list.begin(), list.end(), answer) != list.end();
}

// The name and the phone number: from the form, or typed as "name, phone".
void read_form(const botel::Message& m, Order& order) {
  const std::string_view form = m.command.empty() ? m.rich : m.command;
  if (!form.empty()) {
    const auto json = botel::json::parse(form);
    order.name = trimmed(botel::json::text(json, "name"));
    order.phone = trimmed(botel::json::text(json, "phone"));
  } else if (const auto comma = m.text.find(','); comma != m.text.npos) {
    order.name = trimmed(std::string_view(m.text).substr(0, comma));
    order.phone = trimmed(std::string_view(m.text).substr(comma + 1));
  }
}

bool complete(const Order& order) {
  const auto fits = [](const std::string& field) { return !field.empty() && field.size() <= kLongestField; };
  return fits(order.name) && fits(order.phone);
}

class Sandwich : public botel::Bot {
 public:
  void on_start(botel::Room& room) override {
    room.say("안녕하세요! 샌드위치 가게입니다.");
    ask_sandwich(room);
  }

  void on_message(botel::Room& room, const botel::Message& m) override {
    Order order = Order::read(room.state());
    const std::string answer = trimmed(m.text);
    if (answer == kStartOver) return ask_sandwich(room);
    if (order.step == "sauce") return take_sauce(room, order, answer);
    if (order.step == "form") return take_form(room, order, m);
    if (order.step == "summary") return take_order(room, order, answer);
    if (order.step == "done") return room.say("주문이 이미 접수되었습니다. 감사합니다!");
    take_sandwich(room, order, answer);
  }

  void on_timeout(botel::Room& room) override {
    room.say("기다리다 먼저 인사드립니다. 다음에 또 오세요!");
    room.end();
  }

 private:
  void take_sandwich(botel::Room& room, Order& order, const std::string& answer) {
    if (!contains(kSandwiches, answer)) return repeat(room, order, &Sandwich::ask_sandwich);
    order.sandwich = answer;
    ask_sauce(room, order);
  }
  void take_sauce(botel::Room& room, Order& order, const std::string& answer) {
    if (!contains(kSauces, answer)) return repeat(room, order, &Sandwich::ask_sauce);
    order.sauce = answer;
    ask_form(room, order);
  }
  void take_form(botel::Room& room, Order& order, const botel::Message& m) {
    read_form(m, order);
    if (!complete(order)) return repeat(room, order, &Sandwich::ask_form);
    ask_order(room, order);
  }
  void take_order(botel::Room& room, Order& order, const std::string& answer) {
    if (answer != kOrder) return repeat(room, order, &Sandwich::ask_order);
    room.say("주문이 접수되었습니다. 감사합니다, " + order.name + "님!");
    next(room, order, "done");
    room.end();
  }

  void repeat(botel::Room& room, Order& order, void (Sandwich::*ask)(botel::Room&, Order&)) {
    room.say("죄송해요, 잘 이해하지 못했어요.");
    (this->*ask)(room, order);
  }

  void ask_sandwich(botel::Room& room) {
    Order order;
    ask_sandwich(room, order);
  }
  void ask_sandwich(botel::Room& room, Order& order) {
    std::vector<botel::Item> items;
    for (std::size_t i = 0; i < kSandwiches.size(); ++i) {
      const std::string picture = std::string(kPictures) + std::to_string(i + 1) + ".jpg";
      items.push_back(botel::image(picture, kSandwiches[i]).echo(kSandwiches[i]));
      items.push_back(botel::text(kSandwiches[i]).echo(kSandwiches[i]));
    }
    room.say(botel::Rich("샌드위치의 종류를 선택해 주세요").slider(2, 2, items));
    next(room, order, "sandwich");
  }
  void ask_sauce(botel::Room& room, Order& order) {
    std::vector<botel::Item> items;
    for (const char* sauce : kSauces) items.push_back(botel::list(sauce));
    room.say(botel::Rich("소스를 선택해 주세요").slider(4, 2, items));
    next(room, order, "sauce");
  }
  void ask_form(botel::Room& room, Order& order) {
    room.typing();
    room.wait(1s);
    room.say(botel::Rich("받으시는 분을 알려 주세요")
                 .add(botel::input("이름", "name").required(), botel::input("전화번호", "phone").required()));
    next(room, order, "form");
  }
  void ask_order(botel::Room& room, Order& order) {
    room.say(botel::Rich(order.sandwich + ", " + order.sauce + " 소스\n" + order.name + "님, " + order.phone)
                 .add(botel::button(kOrder).echo(kOrder), botel::button(kStartOver).echo(kStartOver)));
    next(room, order, "summary");
  }

  void next(botel::Room& room, Order& order, const char* step) {
    order.step = step;
    room.save(order.write());
  }
};

}  // namespace

BOTEL_PLUGIN(botel::bot<Sandwich>("sandwich", "1.0.0"));
