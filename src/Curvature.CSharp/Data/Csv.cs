namespace Curvature.CSharp;

/// <summary>Tables of comma-separated values, plain or compressed by gzip.</summary>
public static class Csv
{
    /// <inheritdoc cref="FSharp.Csv.read"/>
    public static LabelledData Read(string path) => FSharp.Csv.read(path.NotNull());

    /// <inheritdoc cref="FSharp.Csv.readWith"/>
    public static LabelledData Read(string path, CsvOptions options) =>
        FSharp.Csv.readWith(options.NotNull(), path.NotNull());

    /// <inheritdoc cref="FSharp.Csv.readStream"/>
    public static LabelledData Read(Stream stream, string name, CsvOptions? options = null) =>
        FSharp.Csv.readStream(options ?? CsvOptions.Default, name.NotNull(), stream.NotNull());

    /// <inheritdoc cref="FSharp.Csv.readRegression"/>
    public static RegressionData ReadRegression(string path) => FSharp.Csv.readRegression(path.NotNull());

    /// <inheritdoc cref="FSharp.Csv.readRegressionWith"/>
    public static RegressionData ReadRegression(string path, CsvOptions options) =>
        FSharp.Csv.readRegressionWith(options.NotNull(), path.NotNull());

    /// <inheritdoc cref="FSharp.Csv.readRegressionStream"/>
    public static RegressionData ReadRegression(Stream stream, string name, CsvOptions? options = null) =>
        FSharp.Csv.readRegressionStream(options ?? CsvOptions.Default, name.NotNull(), stream.NotNull());

    /// <inheritdoc cref="FSharp.Csv.readMatrix"/>
    public static Tensor ReadMatrix(string path) => FSharp.Csv.readMatrix(path.NotNull());

    /// <inheritdoc cref="FSharp.Csv.readMatrixWith"/>
    public static Tensor ReadMatrix(string path, CsvOptions options) =>
        FSharp.Csv.readMatrixWith(options.NotNull(), path.NotNull());
}
