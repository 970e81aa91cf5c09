namespace Curvature.CSharp;

/// <summary>Tables of comma-separated values, plain or compressed by gzip.</summary>
public static class Csv
{
    /// <summary>A table whose last column is the class of the row: whole numbers from 0 on. A first row of which at least half is text is a
    /// header.</summary>
    /// <exception cref="DataException">The file is missing, empty or ragged, a cell is not a finite number, or a label is not a whole number
    /// of at least 0; the message names line and column.</exception>
    public static LabelledData Read(string path) => FSharp.Csv.read(path.NotNull());

    /// <summary>A table of which one column is the class of the row, read as the options say.</summary>
    /// <exception cref="DataException">The file is missing, empty or ragged, a cell is not a finite number, or a label is not a whole number
    /// of at least 0; the message names line and column.</exception>
    /// <exception cref="ArgumentRangeException">The table does not have the label's column.</exception>
    public static LabelledData Read(string path, CsvOptions options) =>
        FSharp.Csv.readWith(options.NotNull(), path.NotNull());

    /// <summary>The same from a stream that can seek.</summary>
    /// <param name="stream">What to read, from its beginning.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="options">How to read; <see cref="CsvOptions.Default"/> where there are none.</param>
    /// <exception cref="DataException">The table is empty or ragged, a cell is not a finite number, or a label is not a whole number of at
    /// least 0; the message names line and column.</exception>
    public static LabelledData Read(Stream stream, string name, CsvOptions? options = null) =>
        FSharp.Csv.readStream(options ?? CsvOptions.Default, name.NotNull(), stream.NotNull());

    /// <summary>The numbers of a table, <see cref="DType.Float64"/> [rows, columns].</summary>
    /// <exception cref="DataException">The file is missing, empty or ragged, or a cell is not a finite number; the message names line and
    /// column.</exception>
    public static Tensor ReadMatrix(string path) => FSharp.Csv.readMatrix(path.NotNull());

    /// <summary>The numbers of a table, read as the options say, <see cref="DType.Float64"/> [rows, columns].</summary>
    /// <exception cref="DataException">The file is missing, empty or ragged, or a cell is not a finite number; the message names line and
    /// column.</exception>
    public static Tensor ReadMatrix(string path, CsvOptions options) =>
        FSharp.Csv.readMatrixWith(options.NotNull(), path.NotNull());
}
