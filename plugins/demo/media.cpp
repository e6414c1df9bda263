#include "media.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace demo {
namespace {

using Type = botel::Content::Type;

// Little-endian numbers, as most formats have them.
void put(std::string& bytes, std::uint32_t number, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
}

// A square that goes from blue to orange.
std::string bmp() {
  constexpr std::uint32_t kSide = 96, kHead = 14 + 40, kPixels = kSide * kSide * 3;
  std::string bytes = "BM";
  put(bytes, kHead + kPixels, 4), put(bytes, 0, 4), put(bytes, kHead, 4);
  put(bytes, 40, 4), put(bytes, kSide, 4), put(bytes, kSide, 4), put(bytes, 1, 2), put(bytes, 24, 2);
  put(bytes, 0, 4), put(bytes, kPixels, 4), put(bytes, 2835, 4), put(bytes, 2835, 4), put(bytes, 0, 4),
      put(bytes, 0, 4);
  for (std::uint32_t y = 0; y < kSide; ++y) {
    for (std::uint32_t x = 0; x < kSide; ++x) {
      const std::uint32_t warm = (x + y) * 255 / (2 * kSide);
      put(bytes, 255 - warm, 1), put(bytes, 120, 1), put(bytes, warm, 1);
    }
  }
  return bytes;
}

// Two seconds of a tone: a square wave, so that it needs no sine.
std::string wav(std::uint32_t frequency) {
  constexpr std::uint32_t kRate = 8000, kSamples = 2 * kRate;
  std::string bytes = "RIFF";
  put(bytes, 36 + kSamples, 4);
  bytes += "WAVEfmt ";
  put(bytes, 16, 4), put(bytes, 1, 2), put(bytes, 1, 2), put(bytes, kRate, 4), put(bytes, kRate, 4), put(bytes, 1, 2);
  put(bytes, 8, 2);
  bytes += "data";
  put(bytes, kSamples, 4);
  for (std::uint32_t i = 0; i < kSamples; ++i) put(bytes, i * 2 * frequency / kRate % 2 == 0 ? 112 : 144, 1);
  return bytes;
}

// A grey bar that moves: YUV4MPEG2, in which video is as plain as can be.
std::string y4m() {
  constexpr int kWidth = 64, kHeight = 48, kFrames = 32;
  std::string bytes = "YUV4MPEG2 W64 H48 F16:1 Ip A1:1 C420jpeg\n";
  for (int frame = 0; frame < kFrames; ++frame) {
    bytes += "FRAME\n";
    for (int i = 0; i < kWidth * kHeight; ++i) {
      bytes += static_cast<char>(i % kWidth / 8 == frame % (kWidth / 8) ? 200 : 40);
    }
    bytes.append(kWidth * kHeight / 2, static_cast<char>(128));
  }
  return bytes;
}

// One pixel.
std::string gif() {
  constexpr std::string_view kBytes(
      "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x80\x20\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44"
      "\x01"
      "\x00\x3b",
      35);
  return std::string(kBytes);
}

std::string some_noise(std::size_t offset, std::size_t limit) {
  std::string bytes(std::min(limit, kNoiseSize - std::min(offset, kNoiseSize)), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(noise(offset + i));
  return bytes;
}

Media small(const char* filename, const char* mime, std::string bytes) {
  const std::size_t size = bytes.size();
  return {filename, mime, size, [bytes = std::move(bytes)](std::size_t offset, std::size_t limit) {
            return offset < bytes.size() ? bytes.substr(offset, limit) : std::string();
          }};
}

}  // namespace

std::optional<Media> media_of(Type type) {
  switch (type) {
    case Type::image: return small("square.bmp", "image/bmp", bmp());
    case Type::audio: return small("tone.wav", "audio/wav", wav(440));
    case Type::voice: return small("voice.wav", "audio/wav", wav(220));
    case Type::video: return small("bar.y4m", "video/x-yuv4mpeg", y4m());
    case Type::gif: return small("pixel.gif", "image/gif", gif());
    case Type::document: return Media{"noise.bin", "application/octet-stream", kNoiseSize, some_noise};
    default: return {};
  }
}

std::optional<Media> media_named(const std::string& filename) {
  for (const Type type : {Type::image, Type::audio, Type::voice, Type::video, Type::gif, Type::document}) {
    if (auto media = media_of(type); media->filename == filename) return media;
  }
  return {};
}

}  // namespace demo
