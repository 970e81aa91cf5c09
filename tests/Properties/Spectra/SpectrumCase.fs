namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Curvature
open Curvature.FSharp

/// A symmetric matrix that was made from its eigenvalues, ascending, and the seed of whatever is random.
[<NoComparison; NoEquality>]
type SpectrumCase =
    {
        Eigenvalues: float[]
        /// An eigenvector in each column, in the order of the eigenvalues.
        Eigenvectors: Matrix<float>
        Seed: int
    }

    member this.Size = this.Eigenvalues.Length
    member this.Key = Key.OfSeed(int64 this.Seed)

    /// ‖A‖₂
    member this.Norm = this.Eigenvalues |> Array.fold (fun most x -> max most (abs x)) 0.0

    member this.Matrix =
        let q = this.Eigenvectors
        let a = q * Matrix<float>.Build.DiagonalOfDiagonalArray this.Eigenvalues * q.Transpose()
        0.5 * (a + a.Transpose())

    member this.OperatorOf(dtype: DType) =
        Tensor.ofArray [ this.Size; this.Size ] (this.Matrix.ToRowMajorArray())
        |> Tensor.convert dtype
        |> LinearOperator.ofSymmetricMatrix

    member this.Operator = this.OperatorOf DType.Float64

    /// The squared components of a unit vector along the eigenvectors: the weights of its spectral measure.
    member this.Measure(vector: float[]) =
        let unit = Vector<float>.Build.DenseOfArray(vector).Normalize 2.0
        (this.Eigenvectors.TransposeThisAndMultiply unit).ToArray() |> Array.map (fun x -> x * x)

    override this.ToString() = $"eigenvalues %A{this.Eigenvalues} with seed {this.Seed}"

/// Spectra of 1 to 24 eigenvalues: spread, multiple, of sizes far apart, mostly zero, or all the same.
type SpectrumCases =

    static member private Values(kind: int, n: int, seed: int) =
        let values = Generators.numbers -1.0 1.0 seed n

        match kind with
        | 0 -> values
        | 1 -> values |> Array.map (fun x -> Math.Round(3.0 * x))
        | 2 -> values |> Array.map (fun x -> x * Math.Pow(10.0, 4.0 * x))
        | 3 -> values |> Array.mapi (fun i x -> if i < n / 4 then x else 0.0)
        | 4 -> Array.create n (Math.Round(2.0 * values[0]))
        | kind -> invalidArg (nameof kind) $"there is no kind {kind}"

    static member Case() : Arbitrary<SpectrumCase> =
        gen {
            let! n = Gen.frequency [ 1, Gen.choose (1, 2); 6, Gen.choose (3, 24) ]
            let! seed = Generators.seed

            let! kind =
                Gen.frequency [
                    4, Gen.constant 0
                    3, Gen.constant 1
                    2, Gen.constant 2
                    2, Gen.constant 3
                    1, Gen.constant 4
                ]

            let random = Matrix<float>.Build.DenseOfColumnMajor(n, n, Generators.numbers -1.0 1.0 (seed + 1) (n * n))

            return
                {
                    Eigenvalues = SpectrumCases.Values(kind, n, seed) |> Array.sort
                    Eigenvectors = random.QR().Q
                    Seed = seed
                }
        }
        |> Arb.fromGen
