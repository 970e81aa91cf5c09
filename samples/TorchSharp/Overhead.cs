using System.Diagnostics;
using Curvature;
using Curvature.CSharp;
using Curvature.TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using TorchTensor = TorchSharp.torch.Tensor;

namespace Curvature.Samples.Torch;

/// <summary>What a product through the library costs beside the same backward pass called by hand, alone and in blocks
/// of eight.</summary>
internal static class Overhead
{
    private const int Block = 8;
    private const int Rounds = 41;

    public static void Measure()
    {
        foreach (var threads in new[] { 1, Environment.ProcessorCount }.Distinct())
        {
            set_num_threads(threads);
            Console.WriteLine($"{threads} threads");
            Compare(
                "784-512-512-10, batch 256",
                nn.Sequential(nn.Linear(784, 512), nn.Tanh(), nn.Linear(512, 512), nn.Tanh(), nn.Linear(512, 10)),
                randn(256, 784));
            Compare(
                "CNN 16-32 on 32x32, batch 64",
                nn.Sequential(
                    nn.Conv2d(3, 16, 3, padding: 1),
                    nn.ReLU(),
                    nn.Conv2d(16, 32, 3, padding: 1, stride: 2),
                    nn.ReLU(),
                    nn.AdaptiveAvgPool2d(1),
                    nn.Flatten(),
                    nn.Linear(32, 10)),
                randn(64, 3, 32, 32));
        }
    }

    private static void Compare(string name, nn.Module<TorchTensor, TorchTensor> net, TorchTensor inputs)
    {
        var labels = randint(0, 10, inputs.shape[0]);
        TorchTensor Loss() => F.cross_entropy(net.forward(inputs), labels);
        using var curvature = TorchHessian.At(Loss, net);
        var block = Tensor.Normal(Key.OfSeed(1), DType.Float32, Block, curvature.Layout.Size);
        var one = Tensor.Normal(Key.OfSeed(1), DType.Float32, curvature.Layout.Size);

        // The same by hand: a gradient with its graph, and backward passes through it.
        var parameters = net.parameters().Cast<TorchTensor>().ToList();
        var gradient = autograd.grad([Loss()], parameters, retain_graph: true, create_graph: true);
        var vector = parameters.Select(p => randn(p.shape)).ToList();
        void ByHand()
        {
            using var scope = NewDisposeScope();
            autograd.grad(gradient, parameters, vector, retain_graph: true);
        }

        // In turn, so that a busy machine slows all three.
        Action[] works = [ByHand, () => curvature.Operator.Apply(one), () => curvature.Operator.Apply(block)];
        var times = works.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < works.Length; i++)
            {
                var start = Stopwatch.GetTimestamp();
                works[i]();
                times[i].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        double Median(int i) => times[i].Skip(3).Order().ElementAt((Rounds - 3) / 2);
        var (byHand, alone, inBlock) = (Median(0), Median(1), Median(2) / Block);
        Console.WriteLine(
            $"{name,-30} {curvature.Layout.Size,8} parameters: by hand {byHand:F3} ms, alone {alone:F3} ms "
            + $"({alone / byHand - 1:P1} more), in blocks of {Block} {inBlock:F3} ms ({inBlock / byHand - 1:P1} more)");
    }
}
