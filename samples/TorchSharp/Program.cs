// The curvature of a small CNN that TorchSharp trains on digits: trace by layer, largest eigenvalues, density and
// landscape, all of it on one page.
//
//     dotnet run -c Release --project samples/TorchSharp -- [--data digits.csv.gz] [--out FOLDER]
//     dotnet run -c Release --project samples/TorchSharp -- --bench
using System.Globalization;
using Curvature;
using Curvature.CSharp;
using Curvature.Samples.Torch;
using Curvature.TorchSharp;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string? Option(string name) => args.SkipWhile(argument => argument != name).Skip(1).FirstOrDefault();
if (args.Contains("--bench"))
{
    Overhead.Measure();
    return;
}

torch.random.manual_seed(1);
var digits = Option("--data") is { } path ? Digits.Read(path) : Digits.Synthetic(1797);
var net = nn.Sequential(
    ("conv1", nn.Conv2d(1, 8, 3, padding: 1)),
    ("relu1", nn.ReLU()),
    ("pool", nn.MaxPool2d(2, 2)),
    ("conv2", nn.Conv2d(8, 16, 3, padding: 1)),
    ("relu2", nn.ReLU()),
    ("mean", nn.AdaptiveAvgPool2d(1)),
    ("flatten", nn.Flatten()),
    ("linear", nn.Linear(16, 10)));

using (var optimizer = optim.Adam(net.parameters(), lr: 0.01))
{
    for (var epoch = 0; epoch < 12; epoch++)
    {
        foreach (var (images, labels) in digits.Batches(64))
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            F.cross_entropy(net.forward(images), labels).backward();
            optimizer.step();
        }
    }
}

net.eval();
Console.WriteLine($"{net.parameters().Sum(p => p.numel())} parameters, {digits.Count} images");

// The whole data set in batches: one graph is in memory at a time.
var risk = TorchRisk.OfBatches(
    Reduction.Mean, batch => F.cross_entropy(net.forward(batch.Images), batch.Labels), digits.Batches(600), net);
using var curvature = TorchHessian.Of(risk);
var hessian = curvature.Operator;
Console.WriteLine(curvature);

var key = Key.OfSeed(7);
var table = hessian.EstimateByTensor(curvature.Layout, StoppingRule.Matvecs(64), key);
foreach (var row in table.Tensors)
{
    Console.WriteLine($"{row.Name,-16} trace {row.Trace}");
}

var pairs = hessian.ThickRestartLanczos(SpectrumEnd.Largest, 3);
Console.WriteLine($"largest eigenvalues {string.Join(", ", pairs.Values.Select(value => value.ToString("G4")))}");
var density = hessian.StochasticLanczos(4, 20, key).Density(Smoothing.Papyan);

// A landscape evaluates the loss elsewhere; the module has its own values again afterwards.
var positions = Landscape.Grid(radius: 1, count: 11);
var plane = risk.ToEmpiricalRisk().LossPlane(
    risk.Theta,
    pairs.Direction(0).FilterNormalized(risk.Layout, risk.Theta).Axis(positions),
    pairs.Direction(1).FilterNormalized(risk.Layout, risk.Theta).Axis(positions));

var names = table.Tensors.Select(row => row.Name).ToArray();
var places = Enumerable.Range(0, names.Length).Select(i => (double)i).ToArray();
var intervals = table.Tensors.Select(row => row.Trace.Interval(0.95)).ToArray();
var traces = Chart.Create(
    "Trace by tensor",
    Axis.Categories(names, "tensor"),
    Axis.Linear("trace, with a 95 % interval"),
    Series.ErrorBars(
        "trace",
        places,
        table.Tensors.Select(row => row.Trace.Value).ToArray(),
        intervals.Select(interval => interval.Low).ToArray(),
        intervals.Select(interval => interval.High).ToArray()));
var eigenvalues = Chart.Create(
    "Eigenvalue density",
    Axis.Linear("eigenvalue λ"),
    Axis.Logarithmic("density per unit of λ").WithRange(1e-4, 1e2),
    Series.Line("density", density.Grid, density.Values));
var landscape = Chart.Create(
    "Loss around the parameters",
    Axis.Linear("along v₁"),
    Axis.Linear("along v₂"),
    Series.Contours("loss", positions, positions, plane.Losses));

var folder = Option("--out") ?? ".";
Directory.CreateDirectory(folder);
var page = Path.Combine(folder, "report.html");
new Page("Curvature of a CNN of TorchSharp")
    .Text($"{curvature}. {digits.Count} images in batches of 600.")
    .Table(
        ["tensor", "elements", "trace", "diagonal on average"],
        table.Tensors.Select(row => new[]
        {
            row.Name, row.Size.ToString(), row.Trace.ToString(), row.MeanDiagonal.ToString(),
        }))
    .Picture(traces.WithSize(900, 340))
    .Text($"Largest eigenvalues: {pairs}")
    .Picture(eigenvalues.WithSize(900, 340))
    .Picture(landscape.WithSize(560, 500))
    .Write(page);
Console.WriteLine($"{page} is written");
