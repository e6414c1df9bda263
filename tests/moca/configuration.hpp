// What the tests of a configuration have in common: its topics, steps and end.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "moca/stage.hpp"

inline const std::string kText = "demo/configure/42";
inline const std::string kServer = "demo/42/u1/configure";
inline const std::string kPhone = fmt::format(R"({{"step":"phone","schema":{}}})", kPhoneSchema);
inline const std::string kCode = fmt::format(R"({{"step":"code","schema":{}}})", kCodeSchema);
inline const std::string kContact =
    R"({"contact_id":192168,"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+491711234567","avatar":null})";
inline const std::string kFinished =
    fmt::format(R"({{"step":"finished","contact":{0},"data":{{"contact":{0}}}}})", kContact);
inline const std::string kNumber = R"({"phone":"+491711234567"})";

inline bool is_there(const MocaStage& stage) { return stage.service.connectors() > 0; }
