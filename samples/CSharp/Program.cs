using Curvature;

foreach (var dtype in Enum.GetValues<DType>())
{
    Console.WriteLine(dtype);
}
