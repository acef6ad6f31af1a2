// Static models of RTNeural, one sample at a time: the networks of benches/streams.rs, under the same names.
// Writes a line for each: its name, and the least time of a sample over many rounds, in nanoseconds. With a
// name and a number it runs that one alone, for so many samples, for a profiler to count. The weights are
// drawn; what is computed with them is looked at, so that nothing is left out.
#include <RTNeural/RTNeural.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using namespace RTNeural;

namespace {
std::mt19937 source { 7 };

float drawn()
{
    return std::uniform_real_distribution<float> { -0.3f, 0.3f }(source);
}

std::vector<float> row(int n)
{
    std::vector<float> values(n);
    std::generate(values.begin(), values.end(), drawn);
    return values;
}

std::vector<std::vector<float>> matrix(int rows, int columns)
{
    std::vector<std::vector<float>> values(rows);
    std::generate(values.begin(), values.end(), [=] { return row(columns); });
    return values;
}

template <int In, int Out>
void draw(DenseT<float, In, Out>& layer)
{
    layer.setWeights(matrix(Out, In));
    auto bias = row(Out);
    layer.setBias(bias.data());
}

template <int In, int Units>
void draw(LSTMLayerT<float, In, Units>& layer)
{
    layer.setWVals(matrix(In, 4 * Units));
    layer.setUVals(matrix(Units, 4 * Units));
    layer.setBVals(row(4 * Units));
}

template <int In, int Units>
void draw(GRULayerT<float, In, Units>& layer)
{
    layer.setWVals(matrix(In, 3 * Units));
    layer.setUVals(matrix(Units, 3 * Units));
    layer.setBVals(matrix(2, 3 * Units));
}

template <int In, int Out, int Kernel, int Dilation>
void draw(Conv1DT<float, In, Out, Kernel, Dilation>& layer)
{
    std::vector<std::vector<std::vector<float>>> weights(Out);
    std::generate(weights.begin(), weights.end(), [] { return matrix(In, Kernel); });
    layer.setWeights(weights);
    layer.setBias(row(Out));
}

template <int Size>
void draw(TanhActivationT<float, Size>&)
{
}

template <typename Model, size_t... I>
void draw_all(Model& model, std::index_sequence<I...>)
{
    (draw(model.template get<I>()), ...);
}

// What is run alone, and for how many samples.
const char* only = nullptr;
int only_samples = 0;

template <typename Model, size_t Layers>
void measure(const char* name)
{
    if (only != nullptr && std::strcmp(only, name) != 0)
        return;
    auto model = std::make_unique<Model>();
    draw_all(*model, std::make_index_sequence<Layers> {});
    model->reset();
    std::vector<float> signal(64);
    for (size_t i = 0; i < signal.size(); ++i)
        signal[i] = std::sin(0.37f * i);
    double least = std::numeric_limits<double>::infinity();
    float seen = 0;
    for (int round = 0; round < (only ? 1 : 200); ++round)
    {
        const int samples = only ? only_samples : 2048;
        const auto begun = std::chrono::steady_clock::now();
        for (int i = 0; i < samples; ++i)
        {
            alignas(RTNEURAL_DEFAULT_ALIGNMENT) float x[RTNEURAL_DEFAULT_ALIGNMENT] { signal[i % 64] };
            seen += model->forward(x);
        }
        const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begun;
        least = std::min(least, taken.count() / samples);
    }
    // By its bits, as -ffast-math takes every number for a finite one.
    uint32_t bits;
    std::memcpy(&bits, &seen, sizeof bits);
    if ((bits & 0x7f800000) == 0x7f800000)
        std::exit(1);
    if (only == nullptr)
        std::printf("%s %.1f\n", name, least);
}

template <int N>
using Lstm = ModelT<float, 1, 1, LSTMLayerT<float, 1, N>, DenseT<float, N, 1>>;
template <int N>
using Gru = ModelT<float, 1, 1, GRULayerT<float, 1, N>, DenseT<float, N, 1>>;
template <int N>
using Conv = ModelT<float, 1, 1, Conv1DT<float, 1, N, 3, 1>, TanhActivationT<float, N>, Conv1DT<float, N, N, 3, 2>,
    TanhActivationT<float, N>, Conv1DT<float, N, N, 3, 4>, TanhActivationT<float, N>, Conv1DT<float, N, N, 3, 8>,
    TanhActivationT<float, N>, DenseT<float, N, 1>>;
template <int N>
using Dense3 = ModelT<float, 1, 1, DenseT<float, 1, N>, TanhActivationT<float, N>, DenseT<float, N, N>,
    TanhActivationT<float, N>, DenseT<float, N, N>, TanhActivationT<float, N>, DenseT<float, N, 1>>;
}

int main(int count, char** arguments)
{
    if (count == 3)
    {
        only = arguments[1];
        only_samples = std::atoi(arguments[2]);
    }
    measure<Lstm<8>, 2>("lstm8");
    measure<Lstm<16>, 2>("lstm16");
    measure<Lstm<24>, 2>("lstm24");
    measure<Lstm<32>, 2>("lstm32");
    measure<Lstm<40>, 2>("lstm40");
    measure<Lstm<64>, 2>("lstm64");
    measure<Gru<8>, 2>("gru8");
    measure<Gru<16>, 2>("gru16");
    measure<Gru<24>, 2>("gru24");
    measure<Gru<32>, 2>("gru32");
    measure<Gru<40>, 2>("gru40");
    measure<Gru<64>, 2>("gru64");
    measure<Conv<8>, 9>("conv8");
    measure<Conv<16>, 9>("conv16");
    measure<Conv<32>, 9>("conv32");
    measure<Dense3<8>, 7>("dense8");
    measure<Dense3<16>, 7>("dense16");
    measure<Dense3<32>, 7>("dense32");
    measure<Dense3<64>, 7>("dense64");
}
