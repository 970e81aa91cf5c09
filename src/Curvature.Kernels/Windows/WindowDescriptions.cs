namespace Curvature.Kernels;

/// <summary>Sums over windows of images. Source and target are row-major, [Images, Height, Width, Channels] on the side of
/// the windows' elements and [Images, output height, output width, Channels] on that of the windows.</summary>
/// <param name="DType">Float32 or Float64.</param>
/// <param name="Images">The number of images.</param>
/// <param name="Height">The vertical axis.</param>
/// <param name="Width">The horizontal axis.</param>
/// <param name="Channels">Channels, each on its own.</param>
/// <param name="Adjoint">False: the target holds for each window the sum of its elements. True: the source holds a number for
/// each window, and the target, for each element, the sum over the windows that it is in.</param>
/// <param name="SourceSlot">Slot of the source.</param>
/// <param name="SourceOffset">Its first element.</param>
/// <param name="TargetSlot">Slot of the target.</param>
/// <param name="TargetOffset">Its first element.</param>
public sealed record WindowSum(
    DType DType,
    int Images,
    WindowAxis Height,
    WindowAxis Width,
    int Channels,
    bool Adjoint,
    int SourceSlot,
    long SourceOffset,
    int TargetSlot,
    long TargetOffset);

/// <summary>Positions of largest elements of windows of images. The source is row-major, [Images, Height, Width, Channels];
/// the target, Int32 and [Images, output height, output width, Channels], holds for each window and channel the position
/// of the first largest element, or of the first NaN if there is one. Every window must have an element inside the image;
/// places outside do not count.</summary>
/// <param name="DType">Float32 or Float64.</param>
/// <param name="Images">The number of images.</param>
/// <param name="Height">The vertical axis.</param>
/// <param name="Width">The horizontal axis.</param>
/// <param name="Channels">Channels, each on its own.</param>
/// <param name="SourceSlot">Slot of the source.</param>
/// <param name="SourceOffset">Its first element.</param>
/// <param name="TargetSlot">Slot of the target.</param>
/// <param name="TargetOffset">Its first element.</param>
/// <param name="Stacks">Equal parts into which the images fall, in order. Positions are counted from the start of the part,
/// row-major.</param>
public sealed record WindowMaximum(
    DType DType,
    int Images,
    WindowAxis Height,
    WindowAxis Width,
    int Channels,
    int SourceSlot,
    long SourceOffset,
    int TargetSlot,
    long TargetOffset,
    int Stacks = 1);
