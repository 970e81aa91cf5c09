using System.Text;
using Curvature.CSharp;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Reflection;

namespace Curvature.Tests.Facade.Surface;

/// <summary>For types of which one value does not suit every member, several: a matrix product needs other tensors than
/// a convolution, and a reader of tables other bytes than one of images.</summary>
internal sealed class Candidates(string folder)
{
    private static readonly byte[][] Contents =
    [
        Encoding.ASCII.GetBytes("1.5,2,0\n3,4.5,1\n"),
        Encoding.ASCII.GetBytes("%%MatrixMarket matrix array real general\n2 2\n3\n4\n5\n6\n"),
        [0, 0, 8, 1, 0, 0, 0, 1, 5],
        [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4],
        [7, .. new byte[3072]],
        [1, 9, .. new byte[3072]],
        Written(stream => Numpy.Write(stream, GoodValues.Vector)),
        Written(stream => Numpy.WriteArchive(stream, [new("a", GoodValues.Vector)])),
        Written(stream => Safetensors.Write(stream, [new("a", GoodValues.Vector)])),
    ];

    private static readonly Tensor[] Tensors =
    [
        GoodValues.Vector,
        GoodValues.Matrix,
        FSharp.Tensor.scalar(DType.Float64, 0.5),
        FSharp.Tensor.ofArray(GoodValues.Shape(3), [0.5, -1, 2]),
        FSharp.Tensor.ofArray(GoodValues.Shape(2), [0, 1]),
        FSharp.Tensor.ofIndices(GoodValues.Shape(4), [0, 1, 0, 1]),
        FSharp.Tensor.ofIndices(GoodValues.Shape(1, 2), [0, 1]),
        FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(1, 2, 4)),
        FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(1, 2, 2, 2)),
        FSharp.Tensor.zeros(DType.Float64, GoodValues.Shape(2)),
        FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(1)),
        FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(4, 1)),
        FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(2, 3)),
        FSharp.Tensor.ones(DType.Float64, GoodValues.Shape(2, 1)),
    ];

    private static readonly int[] Counts = [0, 1, 2, 3, 12, 20, 200];

    private static readonly FSharpList<int>[] Lists =
    [
        GoodValues.Shape(0),
        GoodValues.Shape(4),
        GoodValues.Shape(2, 2),
        GoodValues.Shape(0, 1),
        GoodValues.Shape(1, 0),
    ];

    private static readonly double[] Reals = [0.1, 0.5, 0.0, 1.0, 2.0];

    private static readonly double[][] Vectors = [[0], [0, 0.5], [-1, 0, 1], [1, 2, 3, 4]];

    private static readonly string[] Names = ["a", "weight", "ij,jk->ik", "i,i->"];

    /// <summary>One of the values for a type; null where one value suits every member.</summary>
    public object? Choose(Type type, Random random)
    {
        return type == typeof(Tensor) ? Pick(Tensors)
            : type == typeof(int) ? Pick(Counts)
            : type == typeof(long) ? (long)Pick(Counts)
            : type == typeof(double) ? Pick(Reals)
            : type == typeof(string) ? Pick(Names)
            : type == typeof(char) ? Pick([',', ';'])
            : type == typeof(bool) ? Pick([false, true])
            : type == typeof(FSharpList<int>) ? Pick(Lists)
            : type == typeof(double[]) || (type.IsInterface && type.IsAssignableFrom(typeof(double[]))) ? Pick(Vectors)
            : type == typeof(Stream) ? Readable(Pick(Contents))
            : FSharpType.IsFunction(type) || typeof(Delegate).IsAssignableFrom(type) ? Function(type)
            : null;

        T Pick<T>(T[] values) => values[random.Next(values.Length)];

        object? Function(Type function) =>
            Functions.ResultOf(function) == typeof(Tensor) && Functions.TakesTensor(function)
                ? Functions.Make(function, Pick(Bodies))
                : null;
    }

    /// <summary>A file that some reader can read.</summary>
    public string ChoosePath(Random random)
    {
        var which = random.Next(Contents.Length);
        var path = Path.Combine(folder, $"file{which}");
        File.WriteAllBytes(path, Contents[which]);
        return path;
    }

    private static readonly Func<object?[], object?>[] Bodies =
    [
        arguments => Functions.HalfSquare(Last(arguments)),
        arguments => Last(arguments) * Last(arguments),
        arguments => Last(arguments),
    ];

    private static MemoryStream Readable(byte[] content)
    {
        var stream = new MemoryStream();
        stream.Write(content);
        stream.Position = 0;
        return stream;
    }

    private static Tensor Last(object?[] arguments) => (Tensor)arguments.Last(argument => argument is Tensor)!;

    private static byte[] Written(Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        return stream.ToArray();
    }
}
