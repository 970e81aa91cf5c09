namespace Curvature.CSharp;

/// <summary>Making data sets of tensors.</summary>
public static class DataSets
{
    extension(LabelledData)
    {
        /// <summary>Rows of features [rows, features] with <see cref="DType.Int32"/> labels [rows].</summary>
        /// <exception cref="ShapeException">They do not fit together.</exception>
        /// <exception cref="DTypeException">The labels are not <see cref="DType.Int32"/>.</exception>
        /// <exception cref="DataException">A label is negative; the message names its row.</exception>
        public static LabelledData Create(Tensor inputs, Tensor labels) =>
            FSharp.LabelledData.create(inputs.NotNull(), labels.NotNull());
    }
}

/// <summary>Bringing the features of a data set to comparable sizes.</summary>
public static class Scaling
{
    /// <summary>Every column of a matrix [rows, features] moved and scaled to reach from 0 to 1; constant columns become 0.</summary>
    /// <exception cref="ShapeException">It is not a matrix, or has no rows.</exception>
    public static Tensor ToUnitRange(Tensor inputs) => FSharp.Scaling.toUnitRange(inputs.NotNull());

    /// <summary>Every column of a matrix [rows, features] moved and scaled to mean 0 and variance 1, over all rows and not one fewer;
    /// constant columns become 0.</summary>
    /// <exception cref="ShapeException">It is not a matrix, or has no rows.</exception>
    public static Tensor Standardize(Tensor inputs) => FSharp.Scaling.standardize(inputs.NotNull());

    /// <summary>(x − mean)/deviation for each channel of images [images, channels, height, width], with a number for each channel, as
    /// torchvision's Normalize.</summary>
    /// <exception cref="ShapeException">The counts differ.</exception>
    /// <exception cref="ArgumentRangeException">A deviation is not above 0.</exception>
    public static Tensor Channels(Tensor images, IReadOnlyList<double> means, IReadOnlyList<double> deviations) =>
        FSharp.Scaling.channels(means.ToFSharpList(), deviations.ToFSharpList(), images.NotNull());
}

/// <summary>Orders of the rows of a data set, their parts, and batches that are made of these when they are asked for.</summary>
public static class Batches
{
    /// <summary>The rows 0 … rows − 1 in an order drawn from a key, each order equally likely.</summary>
    /// <exception cref="ArgumentRangeException">The count is negative.</exception>
    public static IReadOnlyList<int> Shuffled(Key key, int rows) => FSharp.Batches.shuffled(key, rows);

    /// <summary>Consecutive parts of an order, each of <paramref name="size"/> rows but for the last, which may be shorter.</summary>
    /// <exception cref="ArgumentRangeException">The size is less than 1.</exception>
    public static IReadOnlyList<IReadOnlyList<int>> Cut(IReadOnlyList<int> order, int size) =>
        FSharp.Batches.cut(size, order.WithoutNull());

    /// <summary>The given rows of a tensor, along its leading axis.</summary>
    public static Tensor Rows(Tensor data, IReadOnlyList<int> batch) =>
        FSharp.Batches.rows(batch.WithoutNull(), data.NotNull());

    /// <summary>Consecutive batches of <paramref name="size"/> samples of inputs and targets, but for the last, which may be smaller. They
    /// share the memory of the whole.</summary>
    /// <exception cref="ArgumentRangeException">The size is less than 1.</exception>
    /// <exception cref="DataException">There are no samples.</exception>
    /// <exception cref="ShapeException">There are not as many targets as inputs.</exception>
    public static IReadOnlyList<Batch> Split(Tensor inputs, Tensor targets, int size) =>
        FSharp.Batches.split(size, inputs.NotNull(), targets.NotNull());

    /// <summary>Batches of inputs and targets, whose leading axes are the samples. Each is made when it is asked for, and is the same at every
    /// pass over the sequence.</summary>
    /// <exception cref="DataException">There are no samples.</exception>
    /// <exception cref="ShapeException">There are not as many targets as inputs, or the transform of the options changes the number of
    /// samples.</exception>
    public static IEnumerable<Batch> FromTensors(Tensor inputs, Tensor targets, BatchOptions? options = null) =>
        FSharp.Batches.ofTensors(options ?? BatchOptions.Default, inputs.NotNull(), targets.NotNull());

    /// <summary>Batches of <paramref name="size"/> rows for training: each pass, by its number, takes the rows in another order, drawn from the
    /// key's fold with the number. Where all rows fit into one batch, they keep their order.</summary>
    /// <exception cref="ArgumentRangeException">The size is less than 1.</exception>
    /// <exception cref="ShapeException">There are not as many targets as inputs.</exception>
    public static Func<int, IEnumerable<Batch>> ShuffledEachPass(Tensor inputs, Tensor targets, int size, Key key) =>
        FSharp.Batches.shuffledEachPass(size, key, inputs.NotNull(), targets.NotNull()).Invoke;

    /// <summary>Batches of images [batch, channels, height, width] of numbers from 0 to 1, before the transform of the options, with their
    /// classes, <see cref="DType.Int32"/> [batch]. Only the images of one batch are numbers at a time.</summary>
    /// <exception cref="DataException">There are no images.</exception>
    /// <exception cref="DTypeException">The element type is <see cref="DType.Int32"/>.</exception>
    /// <exception cref="ShapeException">The transform changes the number of samples.</exception>
    public static IEnumerable<Batch> FromImages(ImageSet images, DType dtype = DType.Float32, BatchOptions? options = null) =>
        FSharp.Batches.ofImages(options ?? BatchOptions.Default, dtype, images.NotNull());
}
