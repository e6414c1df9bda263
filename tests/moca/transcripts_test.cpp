#include "transcripts/player.hpp"

#include "moca/stage.hpp"

TEST_CASE("moca: the transcripts hold") { CHECK(transcripts::play_all<MocaStage>("moca") >= 25); }
