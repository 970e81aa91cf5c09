namespace Curvature.Tests.Unit

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Networks with data, and comparisons of K-FAC with dense matrices.
module KroneckerCases =

    let normal (seed: int64) (shape: int list) : Tensor = Tensor.normal (Key.OfSeed seed) DType.Float64 shape

    /// A network with parameters that are not as small as those that training begins with.
    let point (network: Network) : Tensor = 0.7 * normal 77L [ network.ParameterCount ]

    let labels (seed: int) classes count : Tensor =
        let random = System.Random seed
        Tensor.ofIndices [ count ] (Array.init count (fun _ -> random.Next classes))

    /// Inputs [samples; …] and a criterion, in batches of a size.
    let risk reduction criterion size inputs targets (network: Network) : EmpiricalRisk =
        Network.risk reduction (criterion reduction) (Batches.split size inputs targets) network

    let squared = Loss.meanSquaredError
    let crossEntropy = Loss.softmaxCrossEntropy

    let norm (t: Tensor) = (Tensor.norm t).ToScalar()

    /// ‖a − b‖/‖a‖.
    let distance (a: Tensor) (b: Tensor) = norm (a - b) / norm a

    let dense (k: KroneckerOperator) : Tensor = LinearOperator.dense k.Operator

    /// The rows and columns of a matrix at some positions.
    let at (positions: int[]) (matrix: Tensor) : Tensor =
        let index = Tensor.ofIndices [ positions.Length ] positions
        matrix |> Tensor.take 0 index |> Tensor.take 1 index

    /// The matrix with zeros outside the blocks of an approximation.
    let withinBlocks (k: KroneckerOperator) (matrix: Tensor) : Tensor =
        let n = k.Size
        let values, result = matrix.ToArray(), Array.zeroCreate (n * n)

        for block in k.Blocks do
            for i in block.Positions do
                for j in block.Positions do
                    result[i * n + j] <- values[i * n + j]

        Tensor.ofArray [ n; n ] result

    let gaussNewton (risk: EmpiricalRisk) theta : Tensor = LinearOperator.dense (GaussNewton.ofRisk risk theta)
    let fisher kind (risk: EmpiricalRisk) theta : Tensor = LinearOperator.dense (Fisher.ofRisk kind risk theta)

    /// The blocks of an approximation are those of the matrix.
    let isExact (what: string) (k: KroneckerOperator) (matrix: Tensor) =
        Expect.isEmpty $"{what}: warnings" (List.ofSeq k.Warnings)
        Expect.isLessThan $"{what}: the distance from the blocks" (distance (withinBlocks k matrix) (dense k), 1e-10)

    let kinds (k: KroneckerOperator) = [ for block in k.Blocks -> block.Name, block.Kind ]
