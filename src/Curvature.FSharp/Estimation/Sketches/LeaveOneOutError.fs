namespace Curvature.FSharp

open System
open Curvature

/// Error bars of estimators that leave out one of their random vectors at a time.
///
/// The spread s of k such estimates is too small, because any two share all but two vectors. Three corrections make
/// up for that.
///
/// Near the identity the correlation is known. Let A = I + E for a small E, uᵢ the unit vector that leaves the
/// projection with vector i, and Q the projection on what all k vectors have missed, of dimension n − k. To first
/// order in E the error of estimate i is ⟨E, (n − k)·uᵢuᵢᵀ − Q⟩. All share Q, and uᵢᵀuⱼ is the cosine of two random
/// directions in n − k + 2 dimensions. So two estimates have the correlation 2/(n − k + 2), and the squared error of
/// their mean is s²/k·(n + k)/(n − k): 3 times s²/k at k = n/2, and 66 times at 0.97·n, where the n − k directions
/// that all have missed are the error. In simulations that was the squared error, within a few percent, for each of
/// the spectra flat, uniform, 1/i, 0.97ⁱ, one outlier, and half of the eigenvalues large, from k = 5 to n − 1.
///
/// Where the spectrum decays the estimates agree for another reason: all miss the same direction, and most where k is
/// the rank of the large part of the spectrum. Leaving out vector i removes from the approximation a direction with
/// Rayleigh quotient ρᵢ, which shows how large a direction may have been missed. A form along one direction has
/// variance 2(ρᵢ − τᵢ)², where τᵢ is what the estimate takes for granted there: the mean of the rest for resphered
/// vectors, 0 for others. So 2·mean (ρᵢ − τᵢ)² is added.
///
/// Last, s² is multiplied by a constant at least, 1.44 for XTrace and 2.25 for XNysTrace, which counts for few
/// vectors. `bench coverage` measures intervals at all budgets. What was tried and not taken: the unbiased variance
/// of a single estimate, 2(n − k + 1)·τᵢ(ρᵢ − τᵢ) for XNysTrace, is a bound, but 2 to 5 times too wide in standard
/// errors; the part of it that s² does not show, added to s²/k, fails near n, because neither is known well enough.
/// The jackknife of Epperly & Tropp (2024) was not tried: it bounds the variance by a sum over vectors, and near n
/// each of them turns the directions that are missed, so that the sum is about k times too large.
module internal LeaveOneOutError =

    /// For XTrace and XDiag, the least factor of s²/k.
    let traceFactor = 1.44

    /// For XNysTrace and XNysDiag.
    let nystromFactor = 2.25

    /// The factor of s²/k for k of n vectors: (n + k)/(n − k), and a little more for what s² itself does not know,
    /// above all where few directions are left.
    let inflation least (n: int) (k: int) =
        let left = float (max 1 (n - k))
        max least (1.2 * (1.0 + 0.3 / left) * float (n + k) / left)

    /// The same for entries of a diagonal, which depend on each other less. In simulations of XDiag a factor n/(n −
    /// k) was enough where k is at most n/2, and of XNysDiag the least factor at any k.
    let inflationOfEntries least (n: int) (k: int) = 1.1 * max least (float n / float (max (n / 2) (n - k)))

    /// Mean and standard error of estimates that leave out one vector each, where missed ones have the excess ρᵢ − τᵢ.
    let combine inflation (rounding: float) (values: float[]) (excess: float[]) : struct (float * float) =
        let moments = RunningMoments()
        values |> Array.iter moments.Add
        let missed = sqrt (2.0 / float excess.Length) * Rounding.length excess
        let spread = sqrt inflation * moments.StandardError
        struct (moments.Mean, [| spread; missed; rounding |] |> Rounding.length)
